package lithops

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // the client uses SHA-1 in job names; it protects nothing
	"encoding/hex"
	"strconv"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// sharedMemory is the memory in MB in the metadata keys of Code Engine. All runtimes of an image share one metadata
// object, regardless of their memory (code_engine.py: get_runtime_key).
const sharedMemory = 256

// The command and the entry point with which the client starts jobs of images that contain the code (config.py of
// code_engine).
const (
	JobPython = "/usr/local/bin/python"
	JobEntry  = "/lithops/" + jobEntryName
)

const jobEntryName = "lithopsentry.py"

// CheckRelease returns an error if the client of a release does not support the current API of a backend: up to 3.6.4,
// the client uses Kubernetes resources on Code Engine.
func CheckRelease(backend Backend, version string) error {
	if backend != CodeEngine || !parseRelease(version).before(3, 7, 0) {
		return nil
	}
	return fault.New(fault.Invalid,
		i18n.M("Lithops {{.Version}} uses a Code Engine API that no longer exists; Lithops 3.7.0 and later use the current API.", "Version", version),
		i18n.M("Install Lithops 3.7.0 or later with 'python3 -m pip install --upgrade lithops'."))
}

// job returns the name of the job for an image and a memory size in MB.
func (c Contract) job(image string, memoryMB int) string {
	sum := sha1.Sum([]byte(image + "-" + strconv.Itoa(memoryMB) + "-" + c.Version)) //nolint:gosec // see above
	return c.jobPrefix() + withoutDots(c.Version) + "-" + hex.EncodeToString(sum[:])[:10]
}

func (c Contract) jobPrefix() string { return "lithops-worker-" + c.UserKey + "-" }

func withoutDots(version string) string { return strings.ReplaceAll(version, ".", "") }

var jobPattern = text.NewPattern(`^lithops-worker-(?:([^/]{1,64})-)?([0-9][0-9A-Za-z+!]*)-[0-9a-f]{10}$`)

// ParseJob returns the user key and the Lithops version, without dots, of a job name. The user key is empty for names
// of 2.9 to 3.0. ok is false if the name is not a Lithops job name. The name does not contain the image or the memory.
func ParseJob(name string) (userKey, version string, ok bool) {
	m := jobPattern.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// Project is a Code Engine project in the cache of the client.
type Project struct {
	Name, ID  string
	Namespace string // namespace in the metadata keys
}

// Outdated reports whether the namespace is a Kubernetes namespace that a release before 3.7 cached. Clients continue
// to use it, so they read other metadata objects than clients without this cache entry.
func (p Project) Outdated() bool { return p.ID != "" && p.Namespace != "" && p.Namespace != p.ID }

// ProjectNamespace returns the namespace that the client's next run uses in metadata keys, for the project with the
// given ID: the namespace of the configuration, otherwise that of the cache, otherwise the ID. If the ID in the
// configuration or the cache is not the ID of the project, the client ignores both namespaces (code_engine.py:
// _get_or_create_namespace).
func ProjectNamespace(c Compute, cached Project, id string) string {
	if known := cmp.Or(c.ProjectID, cached.ID); known != "" && known != id {
		return id
	}
	return cmp.Or(c.Namespace, cached.Namespace, id)
}

// jobName matches the job names that Code Engine accepts.
var jobName = text.NewPattern(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// jobImage matches the image names that Code Engine accepts, and images in registries of this machine, which have a
// port.
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

// LacksCode reports whether an image is a public Lithops image. These images contain the modules of a worker but no
// Lithops code, so a job of Code Engine that the client registers with such an image cannot run. The client creates
// such a job for each missing memory size as soon as the metadata that all sizes share exists (code_engine.py: invoke).
func LacksCode(image string) bool {
	return strings.HasPrefix(image, DefaultDockerServer+"/lithopscloud/openwhisk-python-v")
}

// ClientDefaultImage returns the image that a Code Engine client uses if its configuration specifies none. The client
// builds and pushes this image itself. The result is empty if the client would fail because the configuration specifies
// no registry account.
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
