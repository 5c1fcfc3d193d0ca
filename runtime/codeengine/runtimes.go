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

// The environment variables that the Lithops client sets for a job.
const (
	actionEnv  = "ACTION"
	typeEnv    = "LITHOPS_RUNTIME_TYPE"
	versionEnv = "LITHOPS_VERSION"
)

const runtimeType = "lithops-runtime"

// Runtimes returns the jobs whose names follow the pattern of Lithops, for all releases and user keys. A page
// contains 100 jobs with their images. A missing project has no runtimes.
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

// Runtime returns a runtime. It returns a fault.NotFound error if the runtime does not exist.
func (c *Compute) Runtime(ctx context.Context, id entity.ID) (entity.Registered, error) {
	j, err := c.client.getJob(ctx, id.Name)
	if err != nil {
		return entity.Registered{}, err
	}
	return c.registered(j), nil
}

// isOwn reports whether the name of a job is derived from the key of this user.
func isOwn(contract lithops.Contract, name string) bool {
	key, _, ok := lithops.ParseJob(name)
	return ok && key == contract.UserKey
}

// registered converts a job. It derives the release, the memory and the metadata key from the name and the variables.
func (c *Compute) registered(j jobDoc) entity.Registered {
	c.recordCode(j)
	scale, _ := lithops.ParseJobSize(j.CPU, j.Memory)
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

// readNotes returns the notes of a job: those of this program, and the variables of other tools.
func readNotes(j jobDoc) map[string]any {
	notes := map[string]any{}
	for _, v := range foreignVariables(j.Env) {
		if v.Name != "" { // otherwise it refers to all keys of a config map or secret
			notes[v.Name] = v.Value
		}
	}
	var stored map[string]any
	if json.Unmarshal([]byte(j.variable(entity.NotesVariable)), &stored) == nil {
		for _, key := range entity.OwnNotes() {
			if value, exists := stored[key]; exists {
				notes[key] = value
			}
		}
	}
	return notes
}

// foreignVariables returns the variables that neither the client nor this program has set.
func foreignVariables(env []variable) []variable {
	return slices.DeleteFunc(slices.Clone(env), func(v variable) bool {
		return slices.Contains([]string{actionEnv, typeEnv, versionEnv, entity.NotesVariable}, v.Name)
	})
}

// setNotes replaces the notes of this program in the variables of the job. Their keys are sorted.
func (j *jobDoc) setNotes(notes map[string]any) error {
	own := map[string]any{}
	for _, key := range entity.OwnNotes() {
		if value, exists := notes[key]; exists {
			own[key] = value
		}
	}
	data, err := json.Marshal(own)
	j.Env = slices.DeleteFunc(slices.Clone(j.Env), func(v variable) bool { return v.Name == entity.NotesVariable })
	j.Env = append(j.Env, literal(entity.NotesVariable, string(data)))
	return err
}

// revision returns a hash of the image, the command and the mounts of a job, as 16 hexadecimal digits. It changes if
// another tool changes one of them. The entity tag of the service cannot be used instead, because storing it in the
// notes would change it.
func revision(j jobDoc) string {
	data, _ := json.Marshal([]any{normalizeImage(j.Image), slices.Concat(j.Commands, []string{""}, j.Arguments), j.Mounts})
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// normalizeImage removes the default parts of an image name.
func normalizeImage(image string) string {
	return strings.TrimSuffix(strings.TrimPrefix(image, "docker.io/"), ":latest")
}

// Unregister deletes a runtime. It returns nil if the runtime does not exist.
func (c *Compute) Unregister(ctx context.Context, id entity.ID) error {
	err := transport.ConfirmNotFound(id.Name, c.client.deleteJob(ctx, id.Name), func() error { _, err := c.client.getJob(ctx, id.Name); return err })
	if err == nil {
		c.releaseCode(id.Name)
	}
	return err
}
