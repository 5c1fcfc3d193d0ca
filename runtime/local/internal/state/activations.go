package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"iter"
	"strings"

	"go.etcd.io/bbolt"

	"fn-runtime/runtime/entity"
)

// Activation is one run of an action. It has been accepted, or it has ended. Times are in epoch ms.
type Activation struct {
	ID          string          `json:"id"`
	NamespaceID string          `json:"namespace_id"`
	Namespace   string          `json:"namespace"`
	Package     string          `json:"package"`
	Action      string          `json:"action"`
	Version     string          `json:"version"`
	Kind        string          `json:"kind"`
	MemoryMB    int             `json:"memory_mb"`
	TimeoutMS   int             `json:"timeout_ms"`
	LogsMB      int             `json:"logs_mb"`
	Concurrency int             `json:"concurrency"`
	Start       int64           `json:"start"` // start of the run; until the run has ended, the time of acceptance
	End         int64           `json:"end"`
	StatusCode  int             `json:"status_code"` // 0 success, 1 application, 2 developer, 3 internal error
	Result      json.RawMessage `json:"result,omitempty"`
	Size        int64           `json:"size,omitempty"` // of the action's response in bytes; 0 if there was no response
	Logs        []string        `json:"logs,omitempty"`
	InitMS      int64           `json:"init_ms"`
	WaitMS      int64           `json:"wait_ms"`
	Cold        bool            `json:"cold"`
	TimedOut    bool            `json:"timed_out"`
	Work        *entity.Work    `json:"work,omitempty"` // calls of a Lithops job; nil if the action does not belong to a job
}

// ActivationFilter selects activations of a namespace, newest first. Since and Upto are in epoch ms; 0 means unbounded.
type ActivationFilter struct {
	Package, Action string // Action "" selects all actions; Package "" with an Action is the default package
	Since, Upto     int64
	Skip, Limit     int
	Outcome         bool // include result and logs
}

// outcome holds the parts of an activation that can be large. It is stored separately, so that listing does not load
// it.
type outcome struct {
	Result json.RawMessage `json:"result,omitempty"`
	Logs   []string        `json:"logs,omitempty"`
}

func activationKey(a Activation) []byte {
	k := append(key(a.NamespaceID, ""), binary.BigEndian.AppendUint64(nil, uint64(a.Start))...)
	return append(k, a.ID...)
}

// ageKey returns the key that orders activations by the time they ended. The most recently recorded activation is the
// last to be evicted, even if it started long ago or the clock was set back. The time in the key is now, or one
// millisecond after the newest key if that is later.
func ageKey(ages *bbolt.Bucket, id string, now int64) []byte {
	if newest, _ := ages.Cursor().Last(); len(newest) >= 8 {
		now = max(now, int64(binary.BigEndian.Uint64(newest))+1)
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(now)), id...)
}

// Accept records an activation that is about to run, so that it is not lost if the endpoint ends before the activation
// does.
func (d *DB) Accept(a Activation) error {
	return d.update(func(tx *bbolt.Tx) error { return write(tx.Bucket(bucketRunning), key(a.ID), a) })
}

// Finish records the outcome of an activation and evicts the oldest activations beyond the limits.
func (d *DB) Finish(a Activation) error {
	return d.update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketRunning).Delete(key(a.ID)); err != nil {
			return err
		}
		k := activationKey(a)
		rest, err := json.Marshal(outcome{a.Result, a.Logs})
		if err != nil {
			return err
		}
		if err := tx.Bucket(bucketOutcomes).Put(k, rest); err != nil {
			return err
		}
		summary := a
		summary.Result, summary.Logs = nil, nil
		data, err := json.Marshal(summary)
		if err != nil {
			return err
		}
		if err := tx.Bucket(bucketActivations).Put(k, data); err != nil {
			return err
		}
		if err := tx.Bucket(bucketActByID).Put(key(a.NamespaceID, a.ID), k); err != nil {
			return err
		}
		ages := tx.Bucket(bucketActByAge)
		if err := ages.Put(ageKey(ages, a.ID, d.now().UnixMilli()), k); err != nil {
			return err
		}
		n, err := increment(tx, "activations", 1)
		if err != nil {
			return err
		}
		size, err := increment(tx, "activation_bytes", int64(len(data)+len(rest)))
		if err != nil {
			return err
		}
		return d.evict(tx, n, size)
	})
}

// evict deletes the oldest activations beyond the limits, but always keeps the newest one. n and size are the current
// number of activations and their bytes.
func (d *DB) evict(tx *bbolt.Tx, n, size int64) error {
	oldest := d.now().Add(-d.limits.ActivationAge).UnixMilli()
	c := tx.Bucket(bucketActByAge).Cursor()
	for age, k := c.First(); age != nil; age, k = c.First() {
		ended := int64(binary.BigEndian.Uint64(age))
		if n <= 1 || n <= int64(d.limits.Activations) && size <= d.limits.ActivationBytes && ended >= oldest {
			return nil
		}
		k = append([]byte(nil), k...) // the deletion invalidates the cursor's slice
		acts := tx.Bucket(bucketActivations)
		outcomes := tx.Bucket(bucketOutcomes)
		length := int64(len(acts.Get(k)) + len(outcomes.Get(k)))
		ns, _, _ := strings.Cut(string(k), "\x00")
		id := string(age[8:])
		if err := c.Delete(); err != nil {
			return err
		}
		if err := errors.Join(acts.Delete(k), outcomes.Delete(k)); err != nil {
			return err
		}
		if err := tx.Bucket(bucketActByID).Delete(key(ns, id)); err != nil {
			return err
		}
		var err error
		if n, err = increment(tx, "activations", -1); err != nil {
			return err
		}
		if size, err = increment(tx, "activation_bytes", -length); err != nil {
			return err
		}
	}
	return nil
}

// Activation reads an activation that has ended. It returns ErrNotFound if the activation has not ended or does not
// exist.
func (d *DB) Activation(ns, id string) (a Activation, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		k := tx.Bucket(bucketActByID).Get(key(ns, id))
		if k == nil {
			return ErrNotFound
		}
		if a, err = read[Activation](tx.Bucket(bucketActivations), k); err == nil {
			err = loadOutcome(tx, &a, k)
		}
		return err
	})
	return a, err
}

// loadOutcome adds the separately stored result and logs. Records of earlier releases contain them already.
func loadOutcome(tx *bbolt.Tx, a *Activation, k []byte) error {
	rest, err := find[outcome](tx.Bucket(bucketOutcomes), k)
	if rest != nil && err == nil {
		a.Result, a.Logs = rest.Result, rest.Logs
	}
	return err
}

// Activations yields the activations that have ended, newest first. Limit -1 yields all. Only one activation is in
// memory at a time. Without f.Outcome, the activations have neither result nor logs.
func (d *DB) Activations(ns string, f ActivationFilter) iter.Seq2[Activation, error] {
	return inView(d, func(tx *bbolt.Tx, yield func(Activation, error) bool) error {
		prefix := key(ns, "")
		c := tx.Bucket(bucketActivations).Cursor()
		upto := uint64(1<<63 - 1)
		if f.Upto > 0 {
			upto = uint64(f.Upto)
		}
		// Seek the key after the last wanted one, then iterate backwards.
		k, _ := c.Seek(append(append([]byte(nil), prefix...), binary.BigEndian.AppendUint64(nil, upto+1)...))
		var v []byte
		if k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
		skip, left := f.Skip, f.Limit
		for ; k != nil && left != 0 && strings.HasPrefix(string(k), string(prefix)); k, v = c.Prev() {
			if f.Since > 0 && int64(binary.BigEndian.Uint64(k[len(prefix):])) < f.Since {
				break
			}
			a, err := decode[Activation](v)
			if err != nil {
				return err
			}
			if f.Action != "" && (a.Action != f.Action || a.Package != f.Package) {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if f.Outcome {
				err = loadOutcome(tx, &a, k)
			} else {
				a.Result, a.Logs = nil, nil
			}
			if err != nil || !yield(a, nil) {
				return err
			}
			left--
		}
		return nil
	})
}

// Pending returns the accepted activations that have no outcome yet. When the endpoint starts, these are the
// activations that were not finished when the endpoint was killed.
func (d *DB) Pending() (list []Activation, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		list, err = page[Activation](tx.Bucket(bucketRunning), nil, 0, -1)
		return err
	})
	return list, err
}
