package codeengine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// The variables of a job that are the client's.
const (
	actionEnv  = "ACTION"
	typeEnv    = "LITHOPS_RUNTIME_TYPE"
	versionEnv = "LITHOPS_VERSION"
)

const runtimeType = "lithops-runtime"

// Runtimes lists the jobs that Lithops can have named, of every release and user key: a page has a hundred, with their
// images. A project that is not there holds nothing.
func (c *Compute) Runtimes(ctx context.Context) (entity.Listing, error) {
	var l entity.Listing
	jobs, err := c.client.jobs(ctx)
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.find(ctx), fault.NotFound) {
		return l, nil
	}
	for _, j := range jobs {
		if r := c.registered(j); r.NamedMB > 0 {
			l.Runtimes = append(l.Runtimes, r)
		}
		if j.ImageSecret == registrySecretName {
			l.Resources = []entity.Resource{{Term: secretTerm, Name: registrySecretName}}
		}
	}
	return l, err
}

// Runtime reads one runtime; fault.NotFound when it is not there.
func (c *Compute) Runtime(ctx context.Context, id entity.ID) (entity.Registered, error) {
	j, err := c.client.getJob(ctx, id.Name)
	if err != nil {
		return entity.Registered{}, err
	}
	return c.registered(j), nil
}

// mine reports whether a job's name is one that this user's key makes.
func mine(contract lithops.Contract, name string) bool {
	key, _, ok := lithops.ParseJob(name)
	return ok && key == contract.UserKey
}

// registered reads from a job what Lithops meant by it.
func (c *Compute) registered(j jobDoc) entity.Registered {
	c.see(j)
	scale, _ := lithops.ParseScale(j.CPU, j.Memory)
	r := entity.Registered{
		ID: entity.ID{Name: j.Name}, Reference: j.Image, MemoryMB: scale.MemoryMB, MilliCPU: scale.MilliCPU, TimeoutMS: j.MaxExecutionTime * 1000,
		Notes: readNotes(j), UpdatedAt: j.CreatedAt, Revision: revision(j),
	}
	key, _, ok := lithops.ParseJob(j.Name)
	if !ok || j.variable(typeEnv) != runtimeType {
		return r
	}
	contract := c.contract()
	r.Own = key == contract.UserKey
	contract.UserKey, contract.Version = key, j.variable(versionEnv)
	r.Version = contract.Version
	image := cmp.Or(r.Note(entity.NoteImage), j.Image)
	r.NamedMB = cmp.Or(contract.JobMemory(j.Name, image), r.MemoryMB)
	_, r.MetadataKey = contract.Runtime(image, r.NamedMB)
	return r
}

// readNotes returns the notes of a job: ours, and the variables of others.
func readNotes(j jobDoc) map[string]any {
	notes := map[string]any{}
	for _, v := range others(j.Env) {
		if v.Name != "" { // else it stands for all keys of a config map or secret
			notes[v.Name] = v.Value
		}
	}
	var ours map[string]any
	if json.Unmarshal([]byte(j.variable(entity.NotesVariable)), &ours) == nil {
		for _, key := range entity.OwnNotes() {
			if value, there := ours[key]; there {
				notes[key] = value
			}
		}
	}
	return notes
}

// others returns the variables that neither the client nor we have put there.
func others(env []variable) []variable {
	return slices.DeleteFunc(slices.Clone(env), func(v variable) bool {
		return slices.Contains([]string{actionEnv, typeEnv, versionEnv, entity.NotesVariable}, v.Name)
	})
}

// annotate puts our notes into the job's variables, in the place of those that are there. Their keys are sorted.
func (j *jobDoc) annotate(notes map[string]any) error {
	ours := map[string]any{}
	for _, key := range entity.OwnNotes() {
		if value, there := notes[key]; there {
			ours[key] = value
		}
	}
	data, err := json.Marshal(ours)
	j.Env = slices.DeleteFunc(slices.Clone(j.Env), func(v variable) bool { return v.Name == entity.NotesVariable })
	j.Env = append(j.Env, literal(entity.NotesVariable, string(data)))
	return err
}

// revision stands for what a job runs, in 16 hexadecimal digits: whoever has it run something else changes it. The
// service's own tag cannot be written into the notes, because it changes with them.
func revision(j jobDoc) string {
	data, _ := json.Marshal([]any{plain(j.Image), slices.Concat(j.Commands, []string{""}, j.Arguments), j.Mounts})
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// plain leaves out what the name of an image means without being said.
func plain(image string) string {
	return strings.TrimSuffix(strings.TrimPrefix(image, "docker.io/"), ":latest")
}

// Unregister removes a runtime; nil when it is not there.
func (c *Compute) Unregister(ctx context.Context, id entity.ID) error {
	err := transport.ConfirmNotFound(id.Name, c.client.deleteJob(ctx, id.Name), func() error { _, err := c.client.getJob(ctx, id.Name); return err })
	if err == nil {
		c.lost(id.Name)
	}
	return err
}
