package site

import (
	"cmp"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// DefaultName is the name that users pass for the image that the client uses by default.
const DefaultName = "default"

// AllName is the name that users pass for all runtimes.
const AllName = "all"

// CheckDeployed checks the name of a deployed runtime like CheckName. It also accepts an image reference with a digest.
func CheckDeployed(name string, all bool) error {
	if strings.Contains(name, "@") {
		return lithops.ValidateReference(name)
	}
	return CheckName(name, all)
}

// CheckName checks a runtime name passed by a user before any request is sent. It accepts DefaultName, AllName if all
// is set, and an image reference. The error is a fault.Usage that shows the corrected name.
func CheckName(name string, all bool) error {
	switch {
	case name == DefaultName, name == AllName && all:
		return nil
	case name == AllName:
		return fault.New(fault.Usage, i18n.M("'all' is not an image name."), i18n.M("Specify an image, or use 'ibmcloud fn-runtime update all'."))
	}
	return lithops.ValidateImage(name)
}

// Image returns the full name of an image, as the client uses it. "default" is the image for the given Python version,
// where "" selects the client's version. user/name is prefixed with the configured registry. The client looks up
// runtimes under this name, never under "default".
func (s *Site) Image(name, python string) (string, error) {
	switch name {
	case AllName:
		return "", CheckName(name, false)
	case DefaultName:
	default:
		return lithops.FullImage(name, s.Settings.DockerServer, s.Contract.Version)
	}
	image, err := lithops.DefaultImage(s.Contract.Backend, s.Contract.Version, cmp.Or(python, s.Install.Python))
	if err != nil {
		return "", err
	}
	if s.Settings.Runtime != "" && s.Settings.Runtime != image && s.Settings.Runtime != DefaultName {
		s.Note(i18n.M("The Lithops configuration specifies runtime {{.Configured}}. The client uses this runtime unless a job requests {{.Image}}.",
			"Configured", s.Settings.Runtime, "Image", image))
	}
	return image, nil
}
