package lithops

import (
	"strconv"
	"strings"

	"fn-runtime/runtime/text"
)

// A version in a name is digits and dots with what PEP 440 allows behind; it has no underscore.
const versionText = `\d+\.\d+\.\d+[0-9A-Za-z.+!-]*`

var (
	versionedPackage  = text.NewPattern(`^lithops_v(` + versionText + `)_(.+)$`)
	plainPackage      = text.NewPattern(`^lithops_(.+)$`)
	actionInVersioned = text.NewPattern(`^(.+)_(\d{1,9})MB$`)
	actionInPlain     = text.NewPattern(`^(.+)_(\d{1,9})MB_(` + versionText + `)$`)
	versionOnly       = text.NewPattern(`^` + versionText + `$`)
)

// PackageVersion returns the Lithops version that a package name of 2.7 or older holds. ok is false for the packages of
// later releases, which hold actions of any version, and for packages that are not Lithops'.
func PackageVersion(pkg string) (version string, ok bool) {
	m := versionedPackage.FindStringSubmatch(pkg)
	if m == nil || !layoutOf(m[1]).VersionInPackage {
		return "", false
	}
	return m[1], true
}

// PackageUserKey returns the user part of a package name; ok is false for packages that Lithops did not name.
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

// ParseAction reads memory and Lithops version from the names of a package and an action. Both are certain when ok;
// the image is not in the name for certain and is read from exec.image instead.
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

// MetadataRef is what a metadata key says of the runtime it belongs to.
type MetadataRef struct {
	Backend   Backend
	Version   string
	Region    string // ibm_cf and code_engine
	Namespace string
	Action    string // or the job of code_engine
	MemoryMB  int    // 0 on code_engine, where runtimes of every memory share the metadata
	UserKey   string // code_engine only
}

// ParseMetadataKey takes a metadata key apart. ok is false for keys of other backends and for anything that Lithops
// did not write there.
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
		var inName string
		ref.UserKey, inName, ok = ParseJob(ref.Action)
		if !ok || inName != withoutDots(version) || ref.Namespace == "" {
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
	var inName string
	ref.MemoryMB, inName, ok = ParseAction(pkg, ref.Action)
	if !ok || inName != version || ref.Namespace == "" {
		return MetadataRef{}, false
	}
	return ref, true
}
