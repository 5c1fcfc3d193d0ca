package commands

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// A panic ends the command like any failure: status 1, in words or in JSON, and nothing of what the panic was given.
func TestPanicIsAFailure(t *testing.T) {
	const secret = "sEcReT-0123456789"
	for _, line := range []string{"list", "list --output json", "deploy a/b:1 --output json", "list -r us-south,eu-de"} {
		b := newBench()
		b.Service = func(context.Context, connect.Options) (*runtime.Service, error) { panic("token " + secret) }
		status := b.run(line)
		all := b.out.String() + b.err.String()
		if status != exitFailed || strings.Contains(all, secret) || !strings.Contains(all, "Internal error") {
			t.Errorf("%s: status %d\n%s", line, status, all)
		}
		if strings.Contains(line, "json") && !json.Valid(b.out.Bytes()) {
			t.Errorf("%s: %s", line, b.out.String())
		}
	}
}
