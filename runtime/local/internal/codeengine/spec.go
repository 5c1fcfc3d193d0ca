package codeengine

import (
	"encoding/json"
	"path"
	"strings"

	"fn-runtime/runtime/text"
)

// spec contains the fields that jobs and job runs share. A run inherits the fields that it does not set from its job.
type spec struct {
	ImageReference        string     `json:"image_reference"`
	ImageSecret           string     `json:"image_secret,omitempty"`
	RunArguments          []string   `json:"run_arguments"`
	RunCommands           []string   `json:"run_commands"`
	RunEnvVariables       []variable `json:"run_env_variables"`
	RunMode               string     `json:"run_mode"`
	RunServiceAccount     string     `json:"run_service_account"`
	RunVolumeMounts       []mount    `json:"run_volume_mounts"`
	ScaleArraySpec        string     `json:"scale_array_spec"`
	ScaleCPULimit         string     `json:"scale_cpu_limit"`
	ScaleEphemeralStorage string     `json:"scale_ephemeral_storage_limit"`
	ScaleMaxExecutionTime *int       `json:"scale_max_execution_time,omitempty"` // seconds; nil for a daemon
	ScaleMemoryLimit      string     `json:"scale_memory_limit"`
	ScaleRetryLimit       *int       `json:"scale_retry_limit,omitempty"`
	ArraySizeVariable     *int       `json:"scale_array_size_variable_override,omitempty"` // only for runs
}

// variable is an environment variable: a value, or a reference to one or all keys of a config map or secret.
type variable struct {
	Type      string `json:"type"`
	Name      string `json:"name,omitempty"`
	Value     string `json:"value,omitempty"`
	Reference string `json:"reference,omitempty"`
	Key       string `json:"key,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
}

// mount mounts the keys of a config map or secret as files.
type mount struct {
	Type      string `json:"type"`
	Reference string `json:"reference"`
	MountPath string `json:"mount_path"`
	Name      string `json:"name,omitempty"`
	SubPath   string `json:"sub_path,omitempty"`
}

// Defaults, and limits of the service.
const (
	defaultTimeS = 7200
	maxTimeS     = 86400
	defaultRetry = 3
	maxRetry     = 5
	maxSpec      = 10 << 10 // size of a job or run in bytes
	maxArray     = 1000
	maxIndex     = 9_999_999
	maxImage     = 256
	maxMountPath = 512
)

// imageReference is the form that IBM Cloud accepts, extended by registries on this machine, which have a port.
var imageReference = text.NewPattern(`^(((localhost|127\.0\.0\.1):[0-9]{1,5}|[a-z0-9][a-z0-9\-_.]+[a-z0-9])[\/])?([a-z0-9][a-z0-9\-_]+[a-z0-9][\/])?[a-z0-9][a-z0-9\-_.\/]+[a-z0-9](:[\w][\w.\-]{0,127})?(@sha256:[a-fA-F0-9]{64})?$`)

// setDefaults sets the defaults of fields that are not set.
func (s *spec) setDefaults() {
	setInt := func(p **int, n int) {
		if *p == nil {
			*p = &n
		}
	}
	setString := func(p *string, text string) {
		if *p == "" {
			*p = text
		}
	}
	setString(&s.RunMode, "task")
	setString(&s.RunServiceAccount, "default")
	setString(&s.ScaleArraySpec, "0")
	setString(&s.ScaleCPULimit, "1")
	setString(&s.ScaleMemoryLimit, "4G")
	setString(&s.ScaleEphemeralStorage, "400M")
	if s.RunMode == "daemon" {
		s.ScaleMaxExecutionTime, s.ScaleRetryLimit = nil, nil
	} else {
		setInt(&s.ScaleMaxExecutionTime, defaultTimeS)
		setInt(&s.ScaleRetryLimit, defaultRetry)
	}
	if s.RunArguments == nil {
		s.RunArguments = []string{}
	}
	if s.RunCommands == nil {
		s.RunCommands = []string{}
	}
	if s.RunEnvVariables == nil {
		s.RunEnvVariables = []variable{}
	}
	if s.RunVolumeMounts == nil {
		s.RunVolumeMounts = []mount{}
	}
}

// check returns an error if the service would reject the spec.
func (s *spec) check() error {
	if len(s.ImageReference) > maxImage || !imageReference.MatchString(s.ImageReference) {
		return invalid("image_reference is not valid.")
	}
	if s.RunMode != "task" && s.RunMode != "daemon" {
		return invalid("run_mode must be 'task' or 'daemon'.")
	}
	if s.ImageSecret != "" {
		if err := checkName("image secret", s.ImageSecret, subdomain, 253); err != nil {
			return err
		}
	}
	if _, err := parseIndices(s.ScaleArraySpec); err != nil {
		return err
	}
	if _, err := memoryMB(s.ScaleCPULimit, s.ScaleMemoryLimit); err != nil {
		return err
	}
	if t := s.ScaleMaxExecutionTime; t != nil && (*t < 1 || *t > maxTimeS) {
		return invalid("scale_max_execution_time must be from 1 to %d seconds.", maxTimeS)
	}
	if n := s.ScaleRetryLimit; n != nil && (*n < 0 || *n > maxRetry) {
		return invalid("scale_retry_limit must be from 0 to %d.", maxRetry)
	}
	for _, v := range s.RunEnvVariables {
		if err := v.check(); err != nil {
			return err
		}
	}
	for _, m := range s.RunVolumeMounts {
		if err := m.check(); err != nil {
			return err
		}
	}
	text, err := json.Marshal(s)
	if err == nil && len(text) > maxSpec {
		err = invalid("The resource has %d bytes, the maximum is %d.", len(text), maxSpec)
	}
	return err
}

func (v variable) check() error {
	switch v.Type {
	case "", "literal":
		if v.Name == "" || strings.ContainsAny(v.Name, "=\x00") || strings.ContainsRune(v.Value, 0) {
			return invalid("The name of an environment variable is not valid.")
		}
	case "config_map_key_reference", "secret_key_reference":
		if v.Name == "" || v.Reference == "" || v.Key == "" {
			return invalid("An environment variable of the type '%s' needs name, reference and key.", v.Type)
		}
	case "config_map_full_reference", "secret_full_reference":
		if v.Reference == "" {
			return invalid("An environment variable of the type '%s' needs a reference.", v.Type)
		}
	default:
		return invalid("The type of an environment variable is not valid.")
	}
	return nil
}

func (m mount) check() error {
	switch {
	case m.Type != "config_map" && m.Type != "secret":
		return invalid("The local endpoint supports only volume mounts of config maps and secrets.")
	case m.Reference == "":
		return invalid("A volume mount needs a reference.")
	case m.SubPath != "":
		return invalid("The local endpoint does not support sub_path in volume mounts.")
	case !path.IsAbs(m.MountPath) || path.Clean(m.MountPath) != m.MountPath || m.MountPath == "/" || len(m.MountPath) > maxMountPath:
		return invalid("mount_path must be an absolute path other than '/'.")
	}
	return nil
}

// inherit returns the spec of a run: its own fields, and those of the job for fields that it does not set.
func (s spec) inherit(job spec) spec {
	if s.ImageReference != "" {
		job.ImageReference, job.ImageSecret = s.ImageReference, s.ImageSecret
	}
	if s.RunArguments != nil {
		job.RunArguments = s.RunArguments
	}
	if s.RunCommands != nil {
		job.RunCommands = s.RunCommands
	}
	if s.RunVolumeMounts != nil {
		job.RunVolumeMounts = s.RunVolumeMounts
	}
	own := map[string]bool{}
	for _, v := range s.RunEnvVariables {
		own[v.Name] = true
	}
	env := []variable{}
	for _, v := range job.RunEnvVariables {
		if v.Name == "" || !own[v.Name] {
			env = append(env, v)
		}
	}
	job.RunEnvVariables = append(env, s.RunEnvVariables...)
	for _, f := range []struct{ to, from *string }{
		{&job.RunMode, &s.RunMode}, {&job.RunServiceAccount, &s.RunServiceAccount}, {&job.ScaleArraySpec, &s.ScaleArraySpec},
		{&job.ScaleCPULimit, &s.ScaleCPULimit}, {&job.ScaleMemoryLimit, &s.ScaleMemoryLimit}, {&job.ScaleEphemeralStorage, &s.ScaleEphemeralStorage},
	} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	for _, f := range []struct{ to, from **int }{
		{&job.ScaleMaxExecutionTime, &s.ScaleMaxExecutionTime}, {&job.ScaleRetryLimit, &s.ScaleRetryLimit}, {&job.ArraySizeVariable, &s.ArraySizeVariable},
	} {
		if *f.from != nil {
			*f.to = *f.from
		}
	}
	return job
}
