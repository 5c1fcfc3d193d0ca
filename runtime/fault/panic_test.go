package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestPanicsBecomeErrorsWithoutValues(t *testing.T) {
	const secret = "sEcReT-0123456789"
	var none map[string]int
	for name, c := range map[string]struct {
		work func() error
		says string
	}{
		"text":       {func() error { panic(secret) }, "string"},
		"error":      {func() error { panic(fmt.Errorf("sent %s", secret)) }, "*fmt.wrapError"},
		"struct":     {func() error { panic(struct{ Key string }{secret}) }, "struct"},
		"nil map":    {func() error { none[secret] = 1; return nil }, "assignment to entry in nil map"},
		"conversion": {func() error { var v any = secret; _ = v.(error); return nil }, "interface conversion"},
		"index":      {func() error { s := []int{}; _ = s[len(secret)]; return nil }, "index out of range"},
		"panic(nil)": {func() error { panic(nil) }, "panic called with nil"},
	} {
		err := Try(c.work)
		var f *Fault
		if !errors.As(err, &f) || f.Kind != Internal {
			t.Errorf("%s: %v", name, err)
			continue
		}
		all := fmt.Sprintf("%v %+v", err, f)
		if strings.Contains(all, secret) || name != "error" && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %s", name, all)
		}
		if len(f.Details) == 0 || !strings.Contains(f.Details[0], "TestPanicsBecomeErrors") {
			t.Errorf("%s: %q", name, f.Details)
		}
	}
	if err := Try(func() error { return errors.New("x") }); err == nil || err.Error() != "x" {
		t.Error(err)
	}
}
