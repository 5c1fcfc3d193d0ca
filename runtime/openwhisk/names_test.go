package openwhisk

import "testing"

func TestCheckNamesReportsTheInvalidName(t *testing.T) {
	err := checkNames("lithops_abcde", "a/b")
	if want := "The compute service does not accept the name of action a/b."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
