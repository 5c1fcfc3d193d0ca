package lithops

import (
	"strconv"
	"strings"

	"fn-runtime/runtime/text"
)

// versionText matches a version in a name: digits and dots, then the suffixes of PEP 440. It contains no underscore.
const versionText = `\d+\.\d+\.\d+[0-9A-Za-z.+!-]*`

var (
	versionedPackage  = text.NewPattern(`^lithops_v(` + versionText + `)_(.+)$`)
	plainPackage      = text.NewPattern(`^lithops_(.+)$`)
	actionInVersioned = text.NewPattern(`^(.+)_(\d{1,9})MB$`)
	actionInPlain     = text.NewPattern(`^(.+)_(\d{1,9})MB_(` + versionText + `)$`)
	versionOnly       = text.NewPattern(`^` + versionText + `$`)
)

// PackageVersion returns the Lithops version in a package name of 2.7 or older. ok is false for packages of later
// releases, which contain actions of any version, and for packages that do not belong to Lithops.
func PackageVersion(pkg string) (version string, ok bool) {
	m := versionedPackage.FindStringSubmatch(pkg)
	if m == nil || !layoutOf(m[1]).VersionInPackage {
		return "", false
	}
	return m[1], true
}

// PackageUserKey returns the user key in a package name. ok is false for packages that do not belong to Lithops.
func PackageUserKey(pkg string) (key string, ok bool) {
	if _, old := PackageVersion(pkg); old {
		return versionedPackage.FindStringSubmatch(pkg)[2], true
	}
	m := plainPackage.FindStringSubmatch(pkg)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// ParseAction returns the memory and the Lithops version from the names of a package and an action. Both are reliable
// if ok is true. The name does not reliably contain the image; read the image from exec.image instead.
func ParseAction(pkg, action string) (memoryMB int, version string, ok bool) {
	if v, old := PackageVersion(pkg); old {
		m := actionInVersioned.FindStringSubmatch(action)
		if m == nil {
			return 0, "", false
		}
		memoryMB, version = atoi(m[2]), v
	} else if plainPackage.MatchString(pkg) {
		m := actionInPlain.FindStringSubmatch(action)
		if m == nil {
			return 0, "", false
		}
		memoryMB, version = atoi(m[2]), m[3]
	}
	return memoryMB, version, memoryMB > 0
}

func atoi(digits string) int {
	n, _ := strconv.Atoi(digits) // at most nine digits
	return n
}

// MetadataRef is the information about a runtime in its metadata key.
type MetadataRef struct {
	Backend   Backend
	Version   string
	Region    string // ibm_cf and code_engine
	Namespace string
	Action    string // or job on code_engine
	MemoryMB  int    // 0 on code_engine, where runtimes with different memory share metadata
	UserKey   string // code_engine only
}

// ParseMetadataKey parses a metadata key. ok is false for keys of other backends and for keys that Lithops did not
// create.
func ParseMetadataKey(key string) (ref MetadataRef, ok bool) {
	rest, isRuntime := strings.CutPrefix(key, RuntimesPrefix)
	rest, isMeta := strings.CutSuffix(rest, metadataSuffix)
	parts := strings.Split(rest, "/")
	if !isRuntime || !isMeta || len(parts) < 4 {
		return MetadataRef{}, false
	}
	backend, version := parts[0], parts[1]
	first := versionOnly.MatchString(backend)
	if first {
		backend, version = version, backend
	}
	if !versionOnly.MatchString(version) || layoutOf(version).VersionBeforeBackend != first {
		return MetadataRef{}, false
	}
	ref = MetadataRef{Backend: Backend(backend), Version: version}
	switch parts = parts[2:]; {
	case ref.Backend == CodeEngine && len(parts) == 3:
		ref.Region, ref.Namespace, ref.Action = parts[0], parts[1], parts[2]
		var nameVersion string
		ref.UserKey, nameVersion, ok = ParseJob(ref.Action)
		if !ok || nameVersion != withoutDots(version) || ref.Namespace == "" {
			return MetadataRef{}, false
		}
		return ref, true
	case ref.Backend == IBMCF && len(parts) == 3:
		ref.Region, ref.Namespace, ref.Action = parts[0], parts[1], parts[2]
	case ref.Backend == OpenWhisk && len(parts) == 2:
		ref.Namespace, ref.Action = parts[0], parts[1]
	default:
		return MetadataRef{}, false
	}
	pkg := Contract{Backend: ref.Backend, Version: version, UserKey: "x"}.Package()
	var nameVersion string
	ref.MemoryMB, nameVersion, ok = ParseAction(pkg, ref.Action)
	if !ok || nameVersion != version || ref.Namespace == "" {
		return MetadataRef{}, false
	}
	return ref, true
}
