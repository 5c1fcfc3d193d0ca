package codeengine

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/local/internal/state"
)

//go:embed runner.py
var runner []byte

// work is all that the instances of a run have in common.
type work struct {
	command, args []string
	env           map[string]string
	mounts        []string // paths; the files of the n-th are in the folder mounts/n of the archive
	image, python string
	memoryMB      int
	limit         time.Duration // 0 none
	retries       int
	archive       string // base64 zip: the action that starts the command, and the files of the mounts
	revision      string // of the archive: a warm worker may run what has the same one
}

// noLimit is the time of daemons.
const noLimit = 365 * 24 * time.Hour

// work resolves what a run refers to; state.ErrNotFound when something is not there.
func (a *api) work(r *run) (*work, error) {
	s := r.rec.spec
	w := &work{command: s.RunCommands, args: s.RunArguments, env: map[string]string{}, image: s.ImageReference, python: a.Python, limit: noLimit}
	if s.ScaleMaxExecutionTime != nil {
		w.limit = time.Duration(*s.ScaleMaxExecutionTime) * time.Second
	}
	if s.ScaleRetryLimit != nil {
		w.retries = *s.ScaleRetryLimit
	}
	var err error
	if w.memoryMB, err = memoryMB(s.ScaleCPULimit, s.ScaleMemoryLimit); err != nil {
		return nil, err
	}
	for _, v := range s.RunEnvVariables {
		if err := a.resolve(r.project.ID, v, w.env); err != nil {
			return nil, err
		}
	}
	w.python = interpreter(w.env[entity.NotesVariable], w.python)
	size := len(r.rec.Instances)
	if s.ArraySizeVariable != nil {
		size = *s.ArraySizeVariable
	}
	maps.Copy(w.env, map[string]string{
		"JOB_ARRAY_SIZE": strconv.Itoa(size), "JOB_RETRY_LIMIT": strconv.Itoa(w.retries), "JOB_MODE": s.RunMode,
		"CE_JOB": r.rec.JobName, "CE_JOBRUN": r.resource.Name, "CE_PROJECT_ID": r.project.ID, "CE_REGION": r.project.Region,
		"CE_SUBDOMAIN": "local", "CE_DOMAIN": r.project.Region + ".codeengine.appdomain.cloud",
		"CE_API_BASE_URL": "https://api." + r.project.Region + ".codeengine.cloud.ibm.com",
	})
	files := map[string][]byte{"__main__.py": runner}
	for n, m := range s.RunVolumeMounts {
		values, err := a.values(r.project.ID, m.Type, m.Reference)
		if err != nil {
			return nil, err
		}
		for name, value := range values {
			files[fmt.Sprintf("mounts/%d/%s", n, name)] = []byte(value)
		}
		w.mounts = append(w.mounts, m.MountPath)
	}
	archive, err := pack(files)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(archive)
	w.archive, w.revision = base64.StdEncoding.EncodeToString(archive), "codeengine-"+hex.EncodeToString(sum[:])
	return w, nil
}

// interpreter returns the Python that the notes of a deployment name, else the standard one.
func interpreter(notes, standard string) string {
	var ours map[string]any
	_ = json.Unmarshal([]byte(notes), &ours) // others may have a variable of that name
	if path, ok := ours[entity.NoteInterpreter].(string); ok && filepath.IsAbs(path) {
		return path
	}
	return standard
}

// arguments are what the action gets for an attempt at an index.
func (w *work) arguments(index, attempt int) any {
	env := maps.Clone(w.env)
	env["JOB_INDEX"], env["JOB_INDEX_RETRY_COUNT"] = strconv.Itoa(index), strconv.Itoa(attempt)
	return map[string]any{"command": w.command, "args": w.args, "env": env, "mounts": w.mounts}
}

// resolve puts what a variable stands for into env.
func (a *api) resolve(project string, v variable, env map[string]string) error {
	kind := "config_map"
	switch v.Type {
	case "", "literal":
		env[v.Name] = v.Value
		return nil
	case "secret_key_reference", "secret_full_reference":
		kind = "secret"
	}
	values, err := a.values(project, kind, v.Reference)
	if err != nil {
		return err
	}
	if v.Key == "" {
		for name, value := range values {
			env[v.Prefix+name] = value
		}
		return nil
	}
	value, ok := values[v.Key]
	if !ok {
		return fmt.Errorf("%s %s has no key %s: %w", kind, v.Reference, v.Key, state.ErrNotFound)
	}
	env[v.Name] = value
	return nil
}

// values reads the data of a "config_map" or "secret".
func (a *api) values(project, kind, name string) (map[string]string, error) {
	r, err := a.DB.Resource(project, kind+"s", name)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, name, err)
	}
	var d data
	err = json.Unmarshal(r.Doc, &d)
	return d.Data, err
}

func pack(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}
