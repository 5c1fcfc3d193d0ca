package commands

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// A panic fails the command with exit status 1 and an error in text or JSON. The output does not contain the panic
// value.
func TestPanicFailsTheCommand(t *testing.T) {
	const secret = "sEcReT-0123456789"
	for _, line := range []string{"list", "list --output json", "deploy a/b:1 --output json", "list -r us-south,eu-de"} {
		h := newHarness()
		h.Service = func(context.Context, connect.Options) (*runtime.Service, error) { panic("token " + secret) }
		status := h.run(line)
		all := h.out.String() + h.err.String()
		if status != exitFailed || strings.Contains(all, secret) || !strings.Contains(all, "Internal error") {
			t.Errorf("%s: status %d\n%s", line, status, all)
		}
		if strings.Contains(line, "json") && !json.Valid(h.out.Bytes()) {
			t.Errorf("%s: %s", line, h.out.String())
		}
	}
}
