package lithops

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// DefaultDockerServer is the default registry of the client (config.py of the backends: docker_server).
const DefaultDockerServer = "docker.io"

// noDockerServer represents an empty docker_server in the configuration. The client then does not prepend a registry.
const noDockerServer = "-"

// Image returns the form of an image name that the client uses. Since 2.9.0, the client prepends docker_server to
// "user/name[:tag]" unless the name already contains that string. Names with no slash or several slashes are unchanged.
func Image(name, dockerServer, version string) string {
	if parseRelease(version).before(2, 9, 0) {
		return name
	}
	if dockerServer == "" {
		dockerServer = DefaultDockerServer
	}
	if strings.Count(name, "/") == 1 && dockerServer != noDockerServer && !strings.Contains(name, dockerServer) {
		return dockerServer + "/" + name
	}
	return name
}

var errNoDockerHub = errors.New("the name of a Docker Hub repository consists of a user and a name")

// FullImage is like Image for a name to deploy. It returns an error if the result is not a valid image name because
// docker_server is not a host.
func FullImage(name, dockerServer, version string) (string, error) {
	if err := ValidateImage(name); err != nil {
		return "", err
	}
	full := Image(name, dockerServer, version)
	named, err := reference.ParseNormalizedNamed(full)
	if err == nil && full != name && reference.Domain(named) == DefaultDockerServer && strings.Count(reference.Path(named), "/") > 1 {
		err = errNoDockerHub
	}
	if err != nil {
		return "", fault.New(fault.Invalid,
			i18n.M("The Lithops client prepends 'docker_server' from its configuration to {{.Name}}, but the result is not a valid image name.", "Name", name),
			i18n.M("Set docker_server to the host only, such as docker.io, without https:// and without a slash.")).Because(err)
	}
	return full, nil
}

// DefaultImage returns the image that a client of this version uses by default for a Python version such as "3.11". The
// error lists the Python versions that have a default image. On code_engine, the result is the public image with all
// modules that a worker imports. The client uses this image only if its configuration specifies it; see
// ClientDefaultImage.
func DefaultImage(backend Backend, version, python string) (string, error) {
	r := parseRelease(version)
	known := defaultPythons(r)
	if slices.Contains(known, python) {
		return defaultImage(backend, r, python), nil
	}
	reason := i18n.M("Lithops {{.Version}} has no default runtime for Python {{.Python}}, only for {{.Known}}.",
		"Version", version, "Python", python, "Known", strings.Join(known, ", "))
	if python == "" {
		reason = i18n.M("The Python version is unknown, so there is no default runtime for it.")
	}
	return "", fault.New(fault.Invalid, reason,
		i18n.M("Create your own runtime with 'ibmcloud fn-runtime init' and 'ibmcloud fn-runtime build', or specify another Python version with '--python'."))
}

// defaultPythons returns the Python versions that have a default image in a release (config.py of both backends:
// RUNTIME_DEFAULT, later AVAILABLE_PY_RUNTIMES).
func defaultPythons(r release) []string {
	low, high := 5, 12
	switch {
	case !r.before(3, 7, 0):
		low = 10
	case !r.before(2, 8, 0):
		low = 6
	}
	switch {
	case r.before(2, 3, 1):
		high = 8
	case r.before(2, 5, 9):
		high = 9
	case r.before(3, 0, 0):
		high = 10
	case r.before(3, 2, 0):
		high = 11
	}
	var list []string
	for minor := low; minor <= high; minor++ {
		list = append(list, fmt.Sprintf("3.%d", minor))
	}
	return list
}

func defaultImage(backend Backend, r release, python string) string {
	if r.before(2, 2, 15) {
		switch python {
		case "3.5":
			return "ibmfunctions/lithops:3.5"
		case "3.6":
			return "ibmfunctions/action-python-v3.6"
		case "3.7":
			return "ibmfunctions/action-python-v3.7:1.6.0"
		default:
			return "jsampe/action-python-v3.8"
		}
	}
	name := "lithopscloud/ibmcf-python-v"
	if backend == CodeEngine || backend == OpenWhisk && !r.before(3, 1, 1) {
		name = "lithopscloud/openwhisk-python-v"
	}
	if !r.before(2, 8, 0) {
		name = "docker.io/" + name
	}
	return name + strings.ReplaceAll(python, ".", "")
}

// acceptedByLithops is the pattern of verify_runtime_name in utils.py, which is the same in every release.
var acceptedByLithops = text.NewPattern(`^[A-Za-z0-9_/.:-]+$`)

// maxImage leaves space for "_{memory}MB_{version}" after the image in an action name.
const maxImage = maxName - 32

// ValidateImage returns an error for names that a registry, Docker or the Lithops client does not accept. The error
// suggests a corrected name if there is one.
func ValidateImage(name string) error {
	var reason i18n.Message
	_, err := reference.ParseNormalizedNamed(name)
	switch {
	case name == "":
		reason = i18n.M("The image name is empty.")
	case len(name) > maxImage:
		reason = i18n.M("The image name has {{.Length}} characters; at most {{.Max}} fit into an action name.",
			"Length", len(name), "Max", maxImage)
	case strings.ContainsAny(name, " \t\r\n"):
		reason = i18n.M("The image name '{{.Name}}' contains spaces.", "Name", name)
	case strings.HasSuffix(name, ":"):
		reason = i18n.M("The image name '{{.Name}}' has an empty tag.", "Name", name)
	case strings.Contains(name, "@"):
		reason = i18n.M("The Lithops client does not accept the digest in '{{.Name}}'.", "Name", name)
	case errors.Is(err, reference.ErrNameContainsUppercase), err != nil && onlyUppercaseInvalid(name):
		reason = i18n.M("The image name '{{.Name}}' contains uppercase letters.", "Name", name)
	case err != nil:
		reason = i18n.M("'{{.Name}}' is not a valid image name.", "Name", name)
	case !acceptedByLithops.MatchString(name):
		reason = i18n.M("The image name '{{.Name}}' contains characters that the Lithops client does not accept.", "Name", name)
	default:
		return nil
	}
	recovery := i18n.M("Use the form USER/NAME[:TAG], in lowercase, with letters, digits and the characters _ . and -.")
	if better := correctedImage(name); better != "" {
		recovery = i18n.M("Use '{{.Name}}'.", "Name", better)
		if strings.Contains(name, "@") {
			recovery = i18n.M("Use '{{.Name}}', and pin it so that it is registered under a tag that never moves.", "Name", better)
		}
	}
	return fault.New(fault.Usage, reason, recovery).Because(err)
}

// ValidateReference is like ValidateImage for a deployed runtime. It also accepts the digest that the runtime uses:
// REPOSITORY@sha256:...
func ValidateReference(name string) error {
	repository, digest, digested := strings.Cut(name, "@")
	if _, err := reference.ParseNormalizedNamed(name); digested && digest != "" && err == nil {
		return ValidateImage(repository)
	}
	return ValidateImage(name)
}

// onlyUppercaseInvalid reports whether uppercase letters are the only problem of a name. The parser does not report
// them in the first part, because it treats a first part with uppercase letters as a host.
func onlyUppercaseInvalid(name string) bool {
	path, tag := name, ""
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		path, tag = name[:colon], name[colon:]
	}
	lower := strings.ToLower(path)
	_, err := reference.ParseNormalizedNamed(lower + tag)
	return err == nil && lower != path
}

var notInImages = text.NewPattern(`[^a-z0-9_/.:-]+`)

// correctedImage returns the name that the user probably meant. It returns "" if that is not a valid name either. The
// case of tags is unchanged.
func correctedImage(name string) string {
	if len(name) > 4*maxName {
		return ""
	}
	name = strings.TrimSpace(name)
	name, _, _ = strings.Cut(name, "@")
	path, tag := name, ""
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		path, tag = name[:colon], strings.TrimSpace(name[colon+1:])
	}
	path = notInImages.ReplaceAllString(strings.ToLower(strings.TrimSpace(path)), "-")
	path = strings.Trim(path, "-/")
	if tag != "" {
		path += ":" + strings.Join(strings.Fields(tag), "-")
	}
	if _, err := reference.ParseNormalizedNamed(path); err != nil || len(path) > maxImage || !acceptedByLithops.MatchString(path) {
		return ""
	}
	return path
}
