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

// instanceConfig is the configuration that all instances of a run share.
type instanceConfig struct {
	command, args []string
	env           map[string]string
	mounts        []string // mount paths; the files of the n-th are in the directory mounts/n of the archive
	image, python string
	memoryMB      int
	limit         time.Duration // time limit of an instance; 0 for none
	retries       int
	archive       string // base64-encoded zip: the action that starts the command, and the files of the mounts
	revision      string // hash of the archive: warm workers are reused for the same revision
}

// daemonTimeLimit is the time limit of daemons. It is long enough to have no effect in practice.
const daemonTimeLimit = 365 * 24 * time.Hour

// instanceConfig resolves the references of a run. It returns state.ErrNotFound if a config map, a secret or a key does
// not exist.
func (a *api) instanceConfig(r *run) (*instanceConfig, error) {
	s := r.rec.spec
	w := &instanceConfig{command: s.RunCommands, args: s.RunArguments, env: map[string]string{}, image: s.ImageReference, python: a.Python, limit: daemonTimeLimit}
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
		values, err := a.dataOf(r.project.ID, m.Type, m.Reference)
		if err != nil {
			return nil, err
		}
		for name, value := range values {
			files[fmt.Sprintf("mounts/%d/%s", n, name)] = []byte(value)
		}
		w.mounts = append(w.mounts, m.MountPath)
	}
	archive, err := zipFiles(files)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(archive)
	w.archive, w.revision = base64.StdEncoding.EncodeToString(archive), "codeengine-"+hex.EncodeToString(sum[:])
	return w, nil
}

// interpreter returns the Python interpreter in the notes of a deployment, or fallback if the notes do not contain an
// absolute path.
func interpreter(notes, fallback string) string {
	var values map[string]any
	_ = json.Unmarshal([]byte(notes), &values) // other programs may use the variable for other values
	if path, ok := values[entity.NoteInterpreter].(string); ok && filepath.IsAbs(path) {
		return path
	}
	return fallback
}

// arguments returns the arguments of the action for an attempt at an index.
func (w *instanceConfig) arguments(index, attempt int) any {
	env := maps.Clone(w.env)
	env["JOB_INDEX"], env["JOB_INDEX_RETRY_COUNT"] = strconv.Itoa(index), strconv.Itoa(attempt)
	return map[string]any{"command": w.command, "args": w.args, "env": env, "mounts": w.mounts}
}

// resolve adds the value or values of a variable to env.
func (a *api) resolve(project string, v variable, env map[string]string) error {
	kind := "config_map"
	switch v.Type {
	case "", "literal":
		env[v.Name] = v.Value
		return nil
	case "secret_key_reference", "secret_full_reference":
		kind = "secret"
	}
	values, err := a.dataOf(project, kind, v.Reference)
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

// dataOf reads the data of a config map or secret. kind is "config_map" or "secret".
func (a *api) dataOf(project, kind, name string) (map[string]string, error) {
	r, err := a.DB.Resource(project, kind+"s", name)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, name, err)
	}
	var d data
	err = json.Unmarshal(r.Doc, &d)
	return d.Data, err
}

func zipFiles(files map[string][]byte) ([]byte, error) {
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
