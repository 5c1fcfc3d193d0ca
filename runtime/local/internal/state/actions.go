package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"

	"go.etcd.io/bbolt"
)

// Action is a registered function without its code, which Code reads by CodeHash.
type Action struct {
	Package     string          `json:"package"` // "" is the default package
	Name        string          `json:"name"`
	Version     string          `json:"version"` // "0.0.1", one more with each update
	Revision    string          `json:"revision"`
	Publish     bool            `json:"publish"`
	Kind        string          `json:"kind"`
	Image       string          `json:"image,omitempty"`
	Main        string          `json:"main,omitempty"`
	Binary      bool            `json:"binary"`
	CodeHash    string          `json:"code_hash,omitempty"` // sha256 of exec.code as it was put; "" no code
	MemoryMB    int             `json:"memory_mb"`
	TimeoutMS   int             `json:"timeout_ms"`
	LogsMB      int             `json:"logs_mb"`
	Concurrency int             `json:"concurrency"`
	Annotations json.RawMessage `json:"annotations,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Updated     int64           `json:"updated"` // epoch ms
}

const firstVersion = "0.0.1"

// patch adds one to the last number of a version.
func patch(version string) string {
	var a, b, c int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &a, &b, &c); err != nil {
		return firstVersion
	}
	return fmt.Sprintf("%d.%d.%d", a, b, c+1)
}

// hashCode returns the CodeHash of exec.code.
func hashCode(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// Actions yields those of a package, or of the whole namespace when all is set, the last changed first. One is in memory
// at a time.
func (d *DB) Actions(ns, pkg string, all bool, skip, limit int) iter.Seq2[Action, error] {
	return inView(d, func(tx *bbolt.Tx, yield func(Action, error) bool) error {
		return eachNewest(tx, bucketActions, ns, actionPrefix(ns, pkg, all), skip, limit, yield)
	})
}

// CountActions counts what Actions lists.
func (d *DB) CountActions(ns, pkg string, all bool) (n int, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		n = count(tx.Bucket(bucketActions), actionPrefix(ns, pkg, all))
		return nil
	})
	return n, err
}

func actionPrefix(ns, pkg string, all bool) []byte {
	if all {
		return key(ns, "")
	}
	return key(ns, pkg, "")
}

// Action reads one; ErrNotFound.
func (d *DB) Action(ns, pkg, name string) (a Action, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		a, err = read[Action](tx.Bucket(bucketActions), key(ns, pkg, name))
		return err
	})
	return a, err
}

// Code reads exec.code by its hash; ErrNotFound.
func (d *DB) Code(hash string) (code string, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		data := tx.Bucket(bucketCode).Get([]byte(hash))
		if data == nil {
			return ErrNotFound
		}
		code = string(data)
		return nil
	})
	return code, err
}

// PutAction writes what change makes of the old action, nil when there is none, in one transaction. Without a Version
// of its own it gets the next one. code is exec.code,
// nil when the action keeps what it has. ErrNotFound when the namespace or the package is not
// there, ErrFull.
func (d *DB) PutAction(ns, pkg, name string, code *string, change func(old *Action) (Action, error)) (a Action, err error) {
	size := 0
	if code != nil {
		size = len(*code)
	}
	err = d.add(size, func(tx *bbolt.Tx) error {
		if err := needNamespace(tx, ns); err != nil {
			return err
		}
		if pkg != "" && tx.Bucket(bucketPackages).Get(key(ns, pkg)) == nil {
			return ErrNotFound
		}
		b := tx.Bucket(bucketActions)
		old, err := find[Action](b, key(ns, pkg, name))
		if err != nil {
			return err
		}
		next, err := change(old)
		if err != nil {
			return err
		}
		next.Package, next.Name, next.Updated = pkg, name, d.now().UnixMilli()
		counted := firstVersion
		order, k := tx.Bucket(bucketNewest), key(ns, pkg, name)
		if old != nil {
			if err := order.Delete(newestKey(bucketActions, ns, old.Updated, k)); err != nil {
				return err
			}
			counted, next.CodeHash = patch(old.Version), old.CodeHash
		}
		if next.Version == "" {
			next.Version = counted
		}
		if code != nil {
			next.CodeHash = ""
			if *code != "" {
				next.CodeHash = hashCode(*code)
			}
		}
		revision, err := bump(tx, "revision", 1)
		if err != nil {
			return err
		}
		next.Revision = strconv.FormatInt(revision, 10)
		if code != nil && next.CodeHash != "" {
			if err := retain(tx, next.CodeHash, *code); err != nil {
				return err
			}
			if old != nil {
				if err := release(tx, old.CodeHash); err != nil {
					return err
				}
			}
		} else if code != nil && old != nil {
			if err := release(tx, old.CodeHash); err != nil {
				return err
			}
		}
		a = next
		if err := order.Put(newestKey(bucketActions, ns, a.Updated, k), k); err != nil {
			return err
		}
		return write(b, k, a)
	})
	return a, err
}

// DeleteAction removes one and gives what it was, with its exec.code; ErrNotFound.
func (d *DB) DeleteAction(ns, pkg, name string) (a Action, code string, err error) {
	err = d.update(func(tx *bbolt.Tx) error {
		if a, err = read[Action](tx.Bucket(bucketActions), key(ns, pkg, name)); err != nil {
			return err
		}
		code = string(tx.Bucket(bucketCode).Get([]byte(a.CodeHash)))
		return deleteAction(tx, ns, a)
	})
	return a, code, err
}

func deleteAction(tx *bbolt.Tx, ns string, a Action) error {
	if err := release(tx, a.CodeHash); err != nil {
		return err
	}
	k := key(ns, a.Package, a.Name)
	if err := tx.Bucket(bucketNewest).Delete(newestKey(bucketActions, ns, a.Updated, k)); err != nil {
		return err
	}
	return tx.Bucket(bucketActions).Delete(k)
}

// deleteActions removes those whose key starts with prefix.
func deleteActions(tx *bbolt.Tx, ns string, prefix []byte) error {
	var all []Action
	err := each(tx.Bucket(bucketActions), prefix, 0, -1, func(a Action, _ error) bool {
		all = append(all, Action{Package: a.Package, Name: a.Name, CodeHash: a.CodeHash, Updated: a.Updated}) // what deleteAction needs: the rest may be large
		return true
	})
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := deleteAction(tx, ns, a); err != nil {
			return err
		}
	}
	return nil
}

// retain stores code once for all actions that share it: a Lithops client registers the same archive for each memory.
func retain(tx *bbolt.Tx, hash, code string) error {
	refs := tx.Bucket(bucketCodeRefs)
	var n uint64
	if old := refs.Get([]byte(hash)); len(old) == 8 {
		n = binary.BigEndian.Uint64(old)
	}
	if n == 0 {
		if err := tx.Bucket(bucketCode).Put([]byte(hash), []byte(code)); err != nil {
			return err
		}
	}
	return refs.Put([]byte(hash), binary.BigEndian.AppendUint64(nil, n+1))
}

func release(tx *bbolt.Tx, hash string) error {
	if hash == "" {
		return nil
	}
	refs := tx.Bucket(bucketCodeRefs)
	old := refs.Get([]byte(hash))
	if len(old) != 8 {
		return nil
	}
	if n := binary.BigEndian.Uint64(old); n > 1 {
		return refs.Put([]byte(hash), binary.BigEndian.AppendUint64(nil, n-1))
	}
	if err := refs.Delete([]byte(hash)); err != nil {
		return err
	}
	return tx.Bucket(bucketCode).Delete([]byte(hash))
}
