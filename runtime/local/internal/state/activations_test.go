package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// collect returns the values that a list yields before its first error.
func collect[T any](list iter.Seq2[T, error]) (out []T, err error) {
	for v, err := range list {
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Listing activations does not load their logs and results, even from old records that contain them.
func TestActivationListsDoNotLoadOutcomes(t *testing.T) {
	d := open(t, t.TempDir(), Limits{}, nil)
	big := Activation{NamespaceID: "ns", Result: json.RawMessage(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`), Logs: []string{strings.Repeat("l", 1<<20)}}
	for i := range 12 {
		big.ID, big.Start = fmt.Sprintf("%032d", i), int64(i)
		if err := d.Finish(big); err != nil {
			t.Fatal(err)
		}
	}
	old := big
	old.ID, old.Start = "old", 100
	err := d.update(func(tx *bbolt.Tx) error {
		return errors.Join(write(tx.Bucket(bucketActivations), activationKey(old), old), tx.Bucket(bucketActByID).Put(key("ns", "old"), activationKey(old)))
	})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for a, err := range d.Activations("ns", ActivationFilter{Limit: -1}) {
		if err != nil || a.Result != nil || a.Logs != nil {
			t.Fatalf("%s has %d bytes of result and %d lines of log, %v", a.ID, len(a.Result), len(a.Logs), err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 { // the old record alone has 2 MB
		t.Errorf("a list of 13 summaries allocates %d bytes", used)
	}
	for a, err := range d.Activations("ns", ActivationFilter{Limit: -1, Outcome: true}) {
		if err != nil || len(a.Result) < 1<<20 || len(a.Logs) != 1 {
			t.Fatalf("%s has %d bytes of result and %d lines of log, %v", a.ID, len(a.Result), len(a.Logs), err)
		}
	}
	if a, err := d.Activation("ns", "old"); err != nil || len(a.Logs) != 1 {
		t.Errorf("%d lines of log, %v", len(a.Logs), err)
	}
}
