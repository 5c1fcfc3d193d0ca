package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// A context that ends with a fault as its cause returns that fault. The fault must not become its own cause, because
// unwrapping it would never end.
func TestFaultIsNotItsOwnCause(t *testing.T) {
	f := fault.New(fault.Timeout, i18n.M("It is late."), i18n.Message{})
	for name, cause := range map[string]error{
		"itself":  f,
		"wrapped": fmt.Errorf("sleeping: %w", f),
		"joined":  errors.Join(errors.New("other"), fault.New(fault.Failed, i18n.M("Below."), i18n.Message{}).Because(f)),
	} {
		if got := f.Because(cause).Unwrap(); got != nil {
			t.Errorf("%s: got the cause %v, want none", name, got)
		}
	}
	below := errors.New("below")
	if got := f.Because(below).Unwrap(); got != below {
		t.Errorf("got the cause %v, want %v", got, below)
	}
}
