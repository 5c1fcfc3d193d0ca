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

// Action is a registered function without its code. DB.Code reads the code by CodeHash.
type Action struct {
	Package     string          `json:"package"` // "" is the default package
	Name        string          `json:"name"`
	Version     string          `json:"version"` // such as "0.0.1"; each update increments the patch number
	Revision    string          `json:"revision"`
	Publish     bool            `json:"publish"`
	Kind        string          `json:"kind"`
	Image       string          `json:"image,omitempty"`
	Main        string          `json:"main,omitempty"`
	Binary      bool            `json:"binary"`
	CodeHash    string          `json:"code_hash,omitempty"` // sha256 of exec.code as received; empty if there is no code
	MemoryMB    int             `json:"memory_mb"`
	TimeoutMS   int             `json:"timeout_ms"`
	LogsMB      int             `json:"logs_mb"`
	Concurrency int             `json:"concurrency"`
	Annotations json.RawMessage `json:"annotations,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Updated     int64           `json:"updated"` // epoch ms
}

const firstVersion = "0.0.1"

// nextPatch increments the patch number of a version.
func nextPatch(version string) string {
	var a, b, c int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &a, &b, &c); err != nil {
		return firstVersion
	}
	return fmt.Sprintf("%d.%d.%d", a, b, c+1)
}

// hashCode returns the hash of exec.code for Action.CodeHash.
func hashCode(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// Actions yields the actions of a package, or of the whole namespace if all is set. The most recently changed action
// comes first. Only one action is in memory at a time.
func (d *DB) Actions(ns, pkg string, all bool, skip, limit int) iter.Seq2[Action, error] {
	return inView(d, func(tx *bbolt.Tx, yield func(Action, error) bool) error {
		return eachNewest(tx, bucketActions, ns, actionPrefix(ns, pkg, all), skip, limit, yield)
	})
}

// CountActions returns the number of actions that Actions yields without skip and limit.
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

// Action reads an action. It returns ErrNotFound if the action does not exist.
func (d *DB) Action(ns, pkg, name string) (a Action, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		a, err = read[Action](tx.Bucket(bucketActions), key(ns, pkg, name))
		return err
	})
	return a, err
}

// Code reads exec.code by its hash. It returns ErrNotFound if no code has this hash.
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

// PutAction writes the action that change returns. change receives the old action, or nil if there is none, and runs in
// the same transaction. If the new action has no Version, it gets the next one. code is exec.code; nil keeps the
// existing code. PutAction returns ErrNotFound if the namespace or the package does not exist, and ErrFull if there is
// not enough space.
func (d *DB) PutAction(ns, pkg, name string, code *string, change func(old *Action) (Action, error)) (a Action, err error) {
	size := 0
	if code != nil {
		size = len(*code)
	}
	err = d.add(size, func(tx *bbolt.Tx) error {
		if err := requireNamespace(tx, ns); err != nil {
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
		version := firstVersion
		order, k := tx.Bucket(bucketNewest), key(ns, pkg, name)
		if old != nil {
			if err := order.Delete(newestKey(bucketActions, ns, old.Updated, k)); err != nil {
				return err
			}
			version, next.CodeHash = nextPatch(old.Version), old.CodeHash
		}
		if next.Version == "" {
			next.Version = version
		}
		if code != nil {
			next.CodeHash = ""
			if *code != "" {
				next.CodeHash = hashCode(*code)
			}
		}
		revision, err := increment(tx, "revision", 1)
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

// DeleteAction deletes an action and returns it with its exec.code. It returns ErrNotFound if the action does not
// exist.
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

// deleteActions deletes the actions whose key starts with prefix.
func deleteActions(tx *bbolt.Tx, ns string, prefix []byte) error {
	var all []Action
	err := each(tx.Bucket(bucketActions), prefix, 0, -1, func(a Action, _ error) bool {
		all = append(all, Action{Package: a.Package, Name: a.Name, CodeHash: a.CodeHash, Updated: a.Updated}) // the fields deleteAction needs: the others may be large
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

// retain adds a reference to the code, and stores the code with its first reference. Actions share code because a
// Lithops client registers the same archive for each memory size.
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

// release drops one reference to the code and deletes the code with its last reference.
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
