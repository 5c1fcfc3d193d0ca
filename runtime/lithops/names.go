package lithops

import (
	"strconv"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// The prefixes of a bucket that belong to Lithops (constants.py). Both end in "/", so that neighbors such as
// "lithops.jobs-old/" are out of reach.
const (
	RuntimesPrefix = "lithops.runtimes/"
	JobsPrefix     = "lithops.jobs/"
)

const metadataSuffix = ".meta.json"

// maxName is the length of an OpenWhisk entity name, in bytes (EntityName.scala: ENTITY_NAME_MAX_LENGTH).
const maxName = 256

// Package is the name of the package that holds this client's actions.
func (c Contract) Package() string {
	if layoutOf(c.Version).VersionInPackage {
		return "lithops_v" + c.Version + "_" + c.UserKey
	}
	return "lithops_" + c.UserKey
}

// Action is the name of the action for an image, as Image returns it, and a memory in MB.
func (c Contract) Action(image string, memoryMB int) string {
	name := imageInAction(image) + "_" + strconv.Itoa(memoryMB) + "MB"
	if !layoutOf(c.Version).VersionInPackage {
		name += "_" + c.Version
	}
	return name
}

func imageInAction(image string) string {
	return strings.NewReplacer("/", "_", ":", "_").Replace(image)
}

// MetadataKey is the key of the metadata object of an action, or of a job of Code Engine with a memory of 256 MB; the local
// cache has the same name below its folder.
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
	for _, p := range parts { // os.path.join leaves empty parts out
		if p != "" {
			kept = append(kept, p)
		}
	}
	return RuntimesPrefix + strings.Join(kept, "/") + metadataSuffix
}

// Runtime returns the names of a runtime: that in the compute service, and the key of its metadata object.
func (c Contract) Runtime(image string, memoryMB int) (id entity.ID, metadataKey string) {
	if c.Backend == CodeEngine {
		return entity.ID{Name: c.job(image, memoryMB)}, c.MetadataKey(c.job(image, sharedMemory))
	}
	action := c.Action(image, memoryMB)
	return entity.ID{Group: c.Package(), Name: action}, c.MetadataKey(action)
}

// MetadataPrefixes are what to list to see the metadata of every release for this backend. The first holds keys of
// other backends too: ParseMetadataKey tells them apart.
func (c Contract) MetadataPrefixes() []string {
	return []string{RuntimesPrefix + "2.", RuntimesPrefix + string(c.Backend) + "/"}
}

// DefaultNamespace is the name that a client of 3.0 or later gives to its ibm_cf namespace, or code_engine project, when
// none is configured; "" for older ones, which want it in their configuration (ibm_cf.py: namespace_name).
func DefaultNamespace(version, region, userKey string) string {
	if parseRelease(version).before(3, 0, 0) || region == "" || userKey == "" {
		return ""
	}
	return "lithops-" + region + "-" + userKey
}

// entityName is what OpenWhisk takes as a name (EntityName.scala), in ASCII.
var entityName = text.NewPattern(`^(?:[A-Za-z0-9_]|[A-Za-z0-9_][A-Za-z0-9_@ .&-]*[A-Za-z0-9_@.&-])$`)

// ValidateNames checks that the service takes the names made for this client, before anything is sent: that of the action
// or job, and that of the image that it runs.
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
