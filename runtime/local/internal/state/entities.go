package state

import (
	"encoding/json"
	"iter"

	"go.etcd.io/bbolt"
)

// Namespace contains packages. ID is a GUID, which IBM Cloud Functions uses in paths.
type Namespace struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Description     string `json:"description,omitempty"`
	ResourceGroupID string `json:"resource_group_id,omitempty"`
	ResourcePlanID  string `json:"resource_plan_id,omitempty"`
	Created         int64  `json:"created"` // epoch ms
}

// Package groups actions. Annotations and Parameters are lists of {"key","value"}.
type Package struct {
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Publish     bool            `json:"publish"`
	Annotations json.RawMessage `json:"annotations,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Updated     int64           `json:"updated"` // epoch ms
}

// Namespaces returns all namespaces, sorted by name.
func (d *DB) Namespaces() (list []Namespace, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		list, err = page[Namespace](tx.Bucket(bucketNamespaces), nil, 0, -1)
		return err
	})
	return list, err
}

// CreateNamespace creates a namespace. It returns ErrExists if its name or ID is already used, and ErrFull if there is
// not enough space.
func (d *DB) CreateNamespace(n Namespace) error {
	n.Created = d.now().UnixMilli()
	return d.add(0, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketNamespaces)
		all, err := page[Namespace](b, nil, 0, -1)
		if err != nil {
			return err
		}
		for _, existing := range all {
			if existing.ID == n.ID || existing.Name == n.Name {
				return ErrExists
			}
		}
		return write(b, key(n.ID), n)
	})
}

// DeleteNamespace deletes a namespace with all its packages and actions.
func (d *DB) DeleteNamespace(id string) error {
	return d.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketNamespaces)
		if b.Get(key(id)) == nil {
			return ErrNotFound
		}
		if err := deleteActions(tx, id, key(id, "")); err != nil {
			return err
		}
		var packages []Package
		err := each(tx.Bucket(bucketPackages), key(id, ""), 0, -1, func(p Package, _ error) bool {
			packages = append(packages, Package{Name: p.Name, Updated: p.Updated})
			return true
		})
		if err != nil {
			return err
		}
		for _, p := range packages {
			if err := deletePackage(tx, id, p); err != nil {
				return err
			}
		}
		return b.Delete(key(id))
	})
}

// Packages yields at most limit packages of a namespace after the first skip ones; limit -1 yields all. The most
// recently changed package comes first. Only one package is in memory at a time.
func (d *DB) Packages(ns string, skip, limit int) iter.Seq2[Package, error] {
	return inView(d, func(tx *bbolt.Tx, yield func(Package, error) bool) error {
		return eachNewest(tx, bucketPackages, ns, key(ns, ""), skip, limit, yield)
	})
}

// CountPackages returns the number of packages that Packages yields without skip and limit.
func (d *DB) CountPackages(ns string) (n int, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		n = count(tx.Bucket(bucketPackages), key(ns, ""))
		return nil
	})
	return n, err
}

// Package reads a package. It returns ErrNotFound if the package does not exist.
func (d *DB) Package(ns, name string) (p Package, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		p, err = read[Package](tx.Bucket(bucketPackages), key(ns, name))
		return err
	})
	return p, err
}

// PutPackage writes the package that change returns. change receives the old package, or nil if there is none, and runs
// in the same transaction. PutPackage returns ErrNotFound if the namespace does not exist, and ErrFull if there is not
// enough space.
func (d *DB) PutPackage(ns, name string, change func(old *Package) (Package, error)) (p Package, err error) {
	err = d.add(maxRecord, func(tx *bbolt.Tx) error {
		if err := requireNamespace(tx, ns); err != nil {
			return err
		}
		b := tx.Bucket(bucketPackages)
		old, err := find[Package](b, key(ns, name))
		if err != nil {
			return err
		}
		next, err := change(old)
		if err != nil {
			return err
		}
		p = next
		p.Name, p.Version, p.Updated = name, nextVersion(old), d.now().UnixMilli()
		order, k := tx.Bucket(bucketNewest), key(ns, name)
		if old != nil {
			if err := order.Delete(newestKey(bucketPackages, ns, old.Updated, k)); err != nil {
				return err
			}
		}
		if err := order.Put(newestKey(bucketPackages, ns, p.Updated, k), k); err != nil {
			return err
		}
		return write(b, k, p)
	})
	return p, err
}

func nextVersion(old *Package) string {
	if old == nil {
		return firstVersion
	}
	return nextPatch(old.Version)
}

// DeletePackage deletes a package. If the package has actions and force is false, it returns ErrNotEmpty and the number
// of actions.
func (d *DB) DeletePackage(ns, name string, force bool) (p Package, actions int, err error) {
	err = d.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketPackages)
		if p, err = read[Package](b, key(ns, name)); err != nil {
			return err
		}
		if actions = count(tx.Bucket(bucketActions), key(ns, name, "")); actions > 0 && !force {
			return ErrNotEmpty
		}
		if err := deleteActions(tx, ns, key(ns, name, "")); err != nil {
			return err
		}
		return deletePackage(tx, ns, p)
	})
	return p, actions, err
}

func deletePackage(tx *bbolt.Tx, ns string, p Package) error {
	k := key(ns, p.Name)
	if err := tx.Bucket(bucketNewest).Delete(newestKey(bucketPackages, ns, p.Updated, k)); err != nil {
		return err
	}
	return tx.Bucket(bucketPackages).Delete(k)
}

func requireNamespace(tx *bbolt.Tx, ns string) error {
	if tx.Bucket(bucketNamespaces).Get(key(ns)) == nil {
		return ErrNotFound
	}
	return nil
}
