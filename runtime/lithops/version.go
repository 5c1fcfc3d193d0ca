package lithops

import (
	"math"
	"strconv"

	"fn-runtime/runtime/text"
)

// release contains the parts of a Lithops version that affect its contract. A development version is treated as the
// release that follows it: 3.7.1.dev0 is 3.7.1.
type release struct{ major, minor, patch int }

var releasePattern = text.NewPattern(`^(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?`)

// newest represents unparsable versions and future releases. Both follow the newest known rules.
var newest = release{math.MaxInt, 0, 0}

func parseRelease(version string) release {
	m := releasePattern.FindStringSubmatch(version)
	if m == nil {
		return newest
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	patch, _ := strconv.Atoi(m[3])
	return release{major, minor, patch}
}

// before reports whether r is older than major.minor.patch.
func (r release) before(major, minor, patch int) bool {
	if r.major != major {
		return r.major < major
	}
	if r.minor != minor {
		return r.minor < minor
	}
	return r.patch < patch
}
