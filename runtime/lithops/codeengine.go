package lithops

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // the client names its jobs so; nothing is protected by it
	"encoding/hex"
	"strconv"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// sharedMemory is the memory in MB in the names that metadata of Code Engine is kept under: runtimes of one image share
// their metadata, whatever memory they have (code_engine.py: get_runtime_key).
const sharedMemory = 256

// The paths of an image that has the code inside, as the client starts its jobs (config.py of code_engine).
const (
	JobPython = "/usr/local/bin/python"
	JobEntry  = "/lithops/" + jobEntryName
)

const jobEntryName = "lithopsentry.py"

// CheckRelease refuses a release whose client does not speak the API of the backend that is served here: up to 3.6.4
// those of Code Engine want resources of Kubernetes.
func CheckRelease(backend Backend, version string) error {
	if backend != CodeEngine || !parseRelease(version).before(3, 7, 0) {
		return nil
	}
	return fault.New(fault.Invalid,
		i18n.M("Lithops {{.Version}} uses a Code Engine API that no longer exists; Lithops 3.7.0 and later use the current API.", "Version", version),
		i18n.M("Install Lithops 3.7.0 or later with 'python3 -m pip install --upgrade lithops'."))
}

// job is the name of the job for an image and a memory in MB.
func (c Contract) job(image string, memoryMB int) string {
	sum := sha1.Sum([]byte(image + "-" + strconv.Itoa(memoryMB) + "-" + c.Version)) //nolint:gosec // see above
	return c.jobPrefix() + withoutDots(c.Version) + "-" + hex.EncodeToString(sum[:])[:10]
}

func (c Contract) jobPrefix() string { return "lithops-worker-" + c.UserKey + "-" }

func withoutDots(version string) string { return strings.ReplaceAll(version, ".", "") }

var jobPattern = text.NewPattern(`^lithops-worker-(?:([^/]{1,64})-)?([0-9][0-9A-Za-z+!]*)-[0-9a-f]{10}$`)

// ParseJob takes the name of a job apart: the user key, "" in those of 2.9 to 3.0, and the version of Lithops without its
// dots. ok is false for jobs that Lithops did not name. Image and memory are not in it.
func ParseJob(name string) (userKey, version string, ok bool) {
	m := jobPattern.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// Project is what the client remembers of a project of Code Engine.
type Project struct {
	Name, ID  string
	Namespace string // in the keys of metadata
}

// Outdated reports whether the namespace is one that a release before 3.7 left there, the one of Kubernetes. Clients go on
// with it, and look for other metadata than those of a machine that was never told.
func (p Project) Outdated() bool { return p.ID != "" && p.Namespace != "" && p.Namespace != p.ID }

// ProjectNamespace returns the namespace that the client's next run has in its keys of metadata, in a project with this id:
// that of the configuration, that of its cache, the id. With an id in either that is not the project's any more it forgets
// all it was told (code_engine.py: _get_or_create_namespace).
func ProjectNamespace(c Compute, cached Project, id string) string {
	if known := cmp.Or(c.ProjectID, cached.ID); known != "" && known != id {
		return id
	}
	return cmp.Or(c.Namespace, cached.Namespace, id)
}

// jobName is what Code Engine takes as the name of a job.
var jobName = text.NewPattern(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// jobImage is what Code Engine takes as an image, and the registries of this machine, which have a port.
var jobImage = text.NewPattern(`^(((localhost|127\.0\.0\.1):[0-9]{1,5}|[a-z0-9][a-z0-9_.-]+[a-z0-9])/)?([a-z0-9][a-z0-9_-]+[a-z0-9]/)?[a-z0-9][a-z0-9_./-]+[a-z0-9](:\w[\w.-]{0,127})?(@sha256:[a-fA-F0-9]{64})?$`)

const maxJobImage = 256

func validateJob(name, image string) error {
	if !jobName.MatchString(name) {
		return fault.New(fault.Invalid,
			i18n.M("The job name '{{.Name}}' is not a valid name for Code Engine.", "Name", name),
			i18n.M("The Lithops client derives the job name from its release and the first four characters of its API key. Use a key without a '.' in these characters."))
	}
	if len(image) > maxJobImage || !jobImage.MatchString(image) {
		return fault.New(fault.Invalid,
			i18n.M("Code Engine does not accept the image name {{.Name}}.", "Name", image),
			i18n.M("Choose a name with at most {{.Max}} characters and no registry port.", "Max", maxJobImage))
	}
	return nil
}

// LacksCode reports whether an image is a public one that a job of Code Engine cannot run as the client registers it: it has
// the modules of a worker, and no code of Lithops. The client makes such a job of each memory size that is not there, once
// the metadata that all sizes share is (code_engine.py: invoke).
func LacksCode(image string) bool {
	return strings.HasPrefix(image, DefaultDockerServer+"/lithopscloud/openwhisk-python-v")
}

// ClientDefaultImage is the image that a client of Code Engine takes when its configuration names none: one that it builds
// and pushes itself. "" where it refuses to, because the configuration names no account for it.
func ClientDefaultImage(c Compute, install Install) string {
	image := "lithops-codeenigne-default-v" + withoutDots(install.Python) + ":" + install.Version
	switch server := c.DockerServer; {
	case server == noDockerServer || strings.Contains(server, "pkg.dev"):
		return ""
	case strings.Contains(server, DefaultDockerServer):
		if c.DockerUser == "" {
			return ""
		}
		return DefaultDockerServer + "/" + c.DockerUser + "/" + image
	case strings.Contains(server, "icr.io"):
		if c.DockerNamespace == "" {
			return ""
		}
		return server + "/" + c.DockerNamespace + "/" + image
	default:
		return server + "/" + image
	}
}
