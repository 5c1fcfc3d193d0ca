package state

import (
	"encoding/json"
	"iter"
	"time"

	"go.etcd.io/bbolt"
)

// Project is a Code Engine project. A deleted project is kept for ProjectAge: its name stays reserved, and it counts
// towards the quota.
type Project struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Region          string `json:"region"`
	ResourceGroupID string `json:"resource_group_id,omitempty"`
	Created         int64  `json:"created"`           // epoch ms
	Deleted         int64  `json:"deleted,omitempty"` // epoch ms, 0 if it is not deleted
}

// ProjectAge is how long a deleted project is kept.
const ProjectAge = 7 * 24 * time.Hour

// Resource is a resource of a Code Engine project: a job, a job run, a config map or a secret.
type Resource struct {
	Kind    string          `json:"kind"`
	Name    string          `json:"name"`
	ID      string          `json:"id"`
	Tag     string          `json:"tag"`     // changes with each update
	Created int64           `json:"created"` // epoch ms
	Doc     json.RawMessage `json:"doc"`
}

// Projects returns all projects, sorted by ID, including deleted ones.
func (d *DB) Projects() (list []Project, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		list, err = page[Project](tx.Bucket(bucketProjects), nil, 0, -1)
		return err
	})
	return list, err
}

// CreateProject creates a project unless check returns an error. check receives all projects that count towards the
// quota. CreateProject returns ErrFull if there is not enough space.
func (d *DB) CreateProject(p Project, check func(all []Project) error) error {
	return d.add(maxRecord, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketProjects)
		all, err := page[Project](b, nil, 0, -1)
		if err != nil {
			return err
		}
		oldest := d.now().Add(-ProjectAge).UnixMilli()
		kept := all[:0]
		for _, existing := range all {
			if existing.Deleted == 0 || existing.Deleted > oldest {
				kept = append(kept, existing)
			} else if err := b.Delete(key(existing.ID)); err != nil {
				return err
			}
		}
		if err := check(kept); err != nil {
			return err
		}
		return write(b, key(p.ID), p)
	})
}

// DeleteProject marks a project as deleted and deletes its resources. It returns ErrNotFound if the project does not
// exist.
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

// liveProject reads a project. It returns ErrNotFound if the project is deleted or does not exist.
func liveProject(tx *bbolt.Tx, id string) (Project, error) {
	p, err := read[Project](tx.Bucket(bucketProjects), key(id))
	if err == nil && p.Deleted != 0 {
		err = ErrNotFound
	}
	return p, err
}

// Resources returns the resources of a kind, sorted by name.
func (d *DB) Resources(project, kind string) (list []Resource, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		list, err = page[Resource](tx.Bucket(bucketResources), key(project, kind, ""), 0, -1)
		return err
	})
	return list, err
}

// EachResource yields the resources of a kind one at a time, sorted by name. The caller must not write to the state
// during the iteration.
func (d *DB) EachResource(project, kind string) iter.Seq2[Resource, error] {
	return inView(d, func(tx *bbolt.Tx, yield func(Resource, error) bool) error {
		return each(tx.Bucket(bucketResources), key(project, kind, ""), 0, -1, yield)
	})
}

// Resource reads a resource. It returns ErrNotFound if the resource does not exist.
func (d *DB) Resource(project, kind, name string) (r Resource, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		r, err = read[Resource](tx.Bucket(bucketResources), key(project, kind, name))
		return err
	})
	return r, err
}

// PutResource writes the resource that change returns. change receives the old resource, or nil if there is none, and
// the number of resources of the kind, and runs in the same transaction. size is the approximate size of the document
// in bytes. PutResource returns ErrNotFound if the project does not exist, and ErrFull if there is not enough space.
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

// DeleteResource deletes a resource and returns it. It returns ErrNotFound if the resource does not exist.
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
