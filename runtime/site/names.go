package site

import (
	"cmp"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// DefaultName is what users say for the image that the client uses when it is told none.
const DefaultName = "default"

// AllName is what users say for every runtime.
const AllName = "all"

// CheckDeployed is CheckName for a runtime that is there: it may also be named by the digest that it runs.
func CheckDeployed(name string, all bool) error {
	if strings.Contains(name, "@") {
		return lithops.ValidateReference(name)
	}
	return CheckName(name, all)
}

// CheckName checks a name that a user gave for a runtime, before anything else is looked at: DefaultName, AllName where
// all is allowed, or an image reference. The error is a fault.Usage that shows the corrected name.
func CheckName(name string, all bool) error {
	switch {
	case name == DefaultName, name == AllName && all:
		return nil
	case name == AllName:
		return fault.New(fault.Usage, i18n.M("'all' is not an image name."), i18n.M("Specify an image, or use 'ibmcloud fn-runtime update all'."))
	}
	return lithops.ValidateImage(name)
}

// Image returns the image that a name stands for, as the client names it: "default" by the Python, "" being the client's;
// user/name with the configured registry in front. The client looks runtimes up under this name, never under "default".
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
