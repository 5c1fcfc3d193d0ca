package state

import (
	"encoding/json"
	"iter"
	"time"

	"go.etcd.io/bbolt"
)

// Project is a Code Engine project. A deleted one is kept for ProjectAge: its name stays taken, and it counts.
type Project struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Region          string `json:"region"`
	ResourceGroupID string `json:"resource_group_id,omitempty"`
	Created         int64  `json:"created"`           // epoch ms
	Deleted         int64  `json:"deleted,omitempty"` // epoch ms, 0 while it is there
}

// ProjectAge is how long a deleted project is kept.
const ProjectAge = 7 * 24 * time.Hour

// Resource is what a Code Engine project holds: a job, a job run, a config map or a secret.
type Resource struct {
	Kind    string          `json:"kind"`
	Name    string          `json:"name"`
	ID      string          `json:"id"`
	Tag     string          `json:"tag"`     // another one after each change
	Created int64           `json:"created"` // epoch ms
	Doc     json.RawMessage `json:"doc"`
}

// Projects lists all by id, deleted ones included.
func (d *DB) Projects() (list []Project, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		list, err = page[Project](tx.Bucket(bucketProjects), nil, 0, -1)
		return err
	})
	return list, err
}

// CreateProject adds one unless check, which sees all that count, refuses; ErrFull.
func (d *DB) CreateProject(p Project, check func(all []Project) error) error {
	return d.add(maxRecord, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketProjects)
		all, err := page[Project](b, nil, 0, -1)
		if err != nil {
			return err
		}
		oldest := d.now().Add(-ProjectAge).UnixMilli()
		kept := all[:0]
		for _, have := range all {
			if have.Deleted == 0 || have.Deleted > oldest {
				kept = append(kept, have)
			} else if err := b.Delete(key(have.ID)); err != nil {
				return err
			}
		}
		if err := check(kept); err != nil {
			return err
		}
		return write(b, key(p.ID), p)
	})
}

// DeleteProject marks one as deleted and removes what it holds; ErrNotFound.
func (d *DB) DeleteProject(id string) error {
	return d.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketProjects)
		p, err := liveProject(tx, id)
		if err != nil {
			return err
		}
		inside, err := page[Resource](tx.Bucket(bucketResources), key(id, ""), 0, -1)
		if err != nil {
			return err
		}
		for _, r := range inside {
			if err := tx.Bucket(bucketResources).Delete(key(id, r.Kind, r.Name)); err != nil {
				return err
			}
		}
		p.Deleted = d.now().UnixMilli()
		return write(b, key(id), p)
	})
}

func liveProject(tx *bbolt.Tx, id string) (Project, error) {
	p, err := read[Project](tx.Bucket(bucketProjects), key(id))
	if err == nil && p.Deleted != 0 {
		err = ErrNotFound
	}
	return p, err
}

// Resources lists those of a kind by name.
func (d *DB) Resources(project, kind string) (list []Resource, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		list, err = page[Resource](tx.Bucket(bucketResources), key(project, kind, ""), 0, -1)
		return err
	})
	return list, err
}

// EachResource yields those of a kind by name, one at a time. While it does so nothing is to be written.
func (d *DB) EachResource(project, kind string) iter.Seq2[Resource, error] {
	return inView(d, func(tx *bbolt.Tx, yield func(Resource, error) bool) error {
		return each(tx.Bucket(bucketResources), key(project, kind, ""), 0, -1, yield)
	})
}

// Resource reads one; ErrNotFound.
func (d *DB) Resource(project, kind, name string) (r Resource, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		r, err = read[Resource](tx.Bucket(bucketResources), key(project, kind, name))
		return err
	})
	return r, err
}

// PutResource writes what change makes of the old one, nil when there is none, in one transaction. change also learns how
// many there are of the kind. size is about that of the document, in bytes; ErrNotFound without the project, ErrFull.
func (d *DB) PutResource(project, kind, name string, size int, change func(old *Resource, count int) (Resource, error)) (r Resource, err error) {
	err = d.add(size+maxRecord, func(tx *bbolt.Tx) error {
		if _, err := liveProject(tx, project); err != nil {
			return err
		}
		b := tx.Bucket(bucketResources)
		old, err := find[Resource](b, key(project, kind, name))
		if err != nil {
			return err
		}
		next, err := change(old, count(b, key(project, kind, "")))
		if err != nil {
			return err
		}
		next.Kind, next.Name = kind, name
		r = next
		return write(b, key(project, kind, name), r)
	})
	return r, err
}

// DeleteResource removes one and gives what it was; ErrNotFound.
func (d *DB) DeleteResource(project, kind, name string) (r Resource, err error) {
	err = d.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketResources)
		if r, err = read[Resource](b, key(project, kind, name)); err != nil {
			return err
		}
		return b.Delete(key(project, kind, name))
	})
	return r, err
}
