package runtime

import (
	"errors"
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// DefaultName is what users say for the image that the client uses when it is told none.
const DefaultName = "default"

// AllName is what users say for every runtime.
const AllName = "all"

// The backends as the user names them.
const (
	BackendIBMCF     = string(lithops.IBMCF)
	BackendOpenWhisk = string(lithops.OpenWhisk)
	BackendLocal     = "local"
)

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
		return fault.New(fault.Usage, i18n.M("'all' names no image."), i18n.M("Name an image, or use 'ibmcloud fn-runtime update all'."))
	}
	return lithops.ValidateImage(name)
}

// image gives the image that a name stands for, as the client names it: "default" by the Python, user/name with the
// configured registry in front. The client looks runtimes up under this name, never under "default".
func (s *Service) image(name, python string) (string, error) {
	if name == DefaultName {
		if python == "" {
			python = s.Install.Python
		}
		image, err := lithops.DefaultImage(s.Contract.Backend, s.Contract.Version, python)
		if err != nil {
			return "", err
		}
		if s.Compute.Runtime != "" && s.Compute.Runtime != image && s.Compute.Runtime != DefaultName {
			s.note(i18n.M("The Lithops configuration names the runtime {{.Configured}}: the client uses that one unless a job asks for {{.Image}}.",
				"Configured", s.Compute.Runtime, "Image", image))
		}
		return image, nil
	}
	return lithops.FullImage(name, s.Compute.DockerServer, s.Contract.Version)
}

// want makes the description of one runtime from an image as the client names it.
func (s *Service) want(image string, memoryMB, timeoutS int, python string) wanted {
	w := wanted{image: image, memoryMB: memoryMB, timeoutS: timeoutS, python: python}
	if w.python == "" {
		w.python = s.Install.Python
	}
	w.pkg = s.Contract.Package()
	w.action = s.Contract.Action(image, memoryMB)
	w.key = s.Contract.MetadataKey(w.action)
	return w
}

// wants checks a deploy request and describes the runtimes it asks for, one for each memory. Nothing is dialled.
func (s *Service) wants(req DeployRequest) ([]wanted, error) {
	if err := CheckName(req.Name, false); err != nil {
		return nil, err
	}
	image, err := s.image(req.Name, req.Python)
	if err != nil {
		return nil, err
	}
	memories := slices.Compact(slices.Sorted(slices.Values(req.MemoryMB)))
	if len(memories) == 0 {
		memories = []int{s.Compute.RuntimeMemory}
	}
	timeout := req.TimeoutS
	if timeout == 0 {
		timeout = s.Compute.RuntimeTimeout
	}
	wrong := []error{s.limits().CheckTimeout(timeout)}
	for _, m := range memories {
		wrong = append(wrong, s.limits().CheckMemory(m))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	wants := make([]wanted, 0, len(memories))
	for _, m := range memories {
		w := s.want(image, m, timeout, req.Python)
		if err := s.Contract.ValidateNames(w.action); err != nil {
			return nil, err
		}
		w.pin = req.Pin
		wants = append(wants, w)
	}
	return wants, nil
}

// pinnedReference replaces the tag of a reference by a digest.
func pinnedReference(image, digest string) string {
	repository, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
		repository = repository[:colon]
	}
	return repository + "@" + digest
}

// limits are the service's own where they are known, else what can be said of the backend.
func (s *Service) limits() lithops.Limits {
	if s.Limits != (lithops.Limits{}) {
		return s.Limits
	}
	return lithops.LimitsOf(s.Contract.Backend)
}
