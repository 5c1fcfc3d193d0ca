package lithops

import (
	"strconv"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// The prefixes of Lithops in a bucket (constants.py). Both end with "/", so that they do not match other prefixes such
// as "lithops.jobs-old/".
const (
	RuntimesPrefix = "lithops.runtimes/"
	JobsPrefix     = "lithops.jobs/"
)

const metadataSuffix = ".meta.json"

// maxName is the maximum length of an OpenWhisk entity name in bytes (EntityName.scala: ENTITY_NAME_MAX_LENGTH).
const maxName = 256

// Package returns the name of the package that contains the actions of this client.
func (c Contract) Package() string {
	if layoutOf(c.Version).VersionInPackage {
		return "lithops_v" + c.Version + "_" + c.UserKey
	}
	return "lithops_" + c.UserKey
}

// Action returns the name of the action for an image, in the form that Image returns, and a memory size in MB.
func (c Contract) Action(image string, memoryMB int) string {
	name := imageInAction(image) + "_" + strconv.Itoa(memoryMB) + "MB"
	if !layoutOf(c.Version).VersionInPackage {
		name += "_" + c.Version
	}
	return name
}

// imageInAction returns the form of an image name in action names.
func imageInAction(image string) string {
	return strings.NewReplacer("/", "_", ":", "_").Replace(image)
}

// MetadataKey returns the key of the metadata object of an action, or of a Code Engine job with 256 MB of memory. In
// the local cache, the key is the path relative to the cache directory.
func (c Contract) MetadataKey(action string) string {
	parts := []string{string(c.Backend), c.Version}
	if layoutOf(c.Version).VersionBeforeBackend {
		parts[0], parts[1] = parts[1], parts[0]
	}
	if c.Backend != OpenWhisk {
		parts = append(parts, c.Region)
	}
	parts = append(parts, c.Namespace, action)
	kept := parts[:0]
	for _, p := range parts { // os.path.join omits empty parts
		if p != "" {
			kept = append(kept, p)
		}
	}
	return RuntimesPrefix + strings.Join(kept, "/") + metadataSuffix
}

// Runtime returns the ID of a runtime in the compute service and the key of its metadata object.
func (c Contract) Runtime(image string, memoryMB int) (id entity.ID, metadataKey string) {
	if c.Backend == CodeEngine {
		return entity.ID{Name: c.job(image, memoryMB)}, c.MetadataKey(c.job(image, sharedMemory))
	}
	action := c.Action(image, memoryMB)
	return entity.ID{Group: c.Package(), Name: action}, c.MetadataKey(action)
}

// MetadataPrefixes returns the prefixes that contain the metadata of this backend for all releases. The first prefix
// also contains keys of other backends; use ParseMetadataKey to distinguish them.
func (c Contract) MetadataPrefixes() []string {
	return []string{RuntimesPrefix + "2.", RuntimesPrefix + string(c.Backend) + "/"}
}

// DefaultNamespace returns the name that a client of 3.0 or later uses for its ibm_cf namespace or code_engine project
// if none is configured. It returns "" for older clients, which require a configured name (ibm_cf.py: namespace_name).
func DefaultNamespace(version, region, userKey string) string {
	if parseRelease(version).before(3, 0, 0) || region == "" || userKey == "" {
		return ""
	}
	return "lithops-" + region + "-" + userKey
}

// entityName matches the names that OpenWhisk accepts (EntityName.scala), limited to ASCII.
var entityName = text.NewPattern(`^(?:[A-Za-z0-9_]|[A-Za-z0-9_][A-Za-z0-9_@ .&-]*[A-Za-z0-9_@.&-])$`)

// ValidateNames checks names before any request is sent. It returns an error if OpenWhisk does not accept the name of
// the package or action, or if Code Engine does not accept the name of the job or image.
func (c Contract) ValidateNames(action, image string) error {
	if c.Backend == CodeEngine {
		return validateJob(action, image)
	}
	if p := c.Package(); len(p) > maxName || !entityName.MatchString(p) {
		return fault.New(fault.Invalid,
			i18n.M("The package name '{{.Name}}' is not a valid OpenWhisk name.", "Name", p),
			i18n.M("Set the user part of package names with '--user-key'."))
	}
	if len(action) > maxName {
		return fault.New(fault.Invalid,
			i18n.M("The action name '{{.Name}}' has {{.Length}} characters; OpenWhisk allows {{.Max}}.",
				"Name", action, "Length", len(action), "Max", maxName),
			i18n.M("Choose a shorter image name."))
	}
	if !entityName.MatchString(action) {
		return fault.New(fault.Invalid,
			i18n.M("The action name '{{.Name}}' is not a valid OpenWhisk name.", "Name", action),
			i18n.M("Choose an image name that contains only letters, digits and the characters _ / . : and -."))
	}
	return nil
}
