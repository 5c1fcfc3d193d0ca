package site

import (
	"cmp"

	"fn-runtime/runtime/entity"
)

// Wanted is the desired state of a runtime.
type Wanted struct {
	ID       entity.ID
	Key      string // key of the metadata object
	Image    string // as the client names it; ID and Key are derived from it
	Digest   string // "" if unknown
	Pin      bool   // run the image with this digest, under its fixed tag
	MemoryMB int
	MilliCPU int // 0 if the service offers no choice, or to keep the deployed value
	TimeoutS int
	InImage  bool   // the image contains the Lithops code
	Python   string // version that the runtime must have
	Source   string // fingerprint of the build inputs; "" if the image is not built
}

// Want returns the desired runtime for an image as the client names it. An empty python selects the client's version.
func (s *Site) Want(image string, memoryMB, timeoutS int, python string) Wanted {
	w := Wanted{Image: image, MemoryMB: memoryMB, TimeoutS: timeoutS, Python: cmp.Or(python, s.Install.Python)}
	w.ID, w.Key = s.Contract.Runtime(image, memoryMB)
	return w
}

// Reference returns the image reference to register with the service.
func (w Wanted) Reference() string {
	if w.Pin && w.Digest != "" {
		return entity.FixedTag(w.Image, w.Digest)
	}
	return w.Image
}

// PinnedReference returns the image reference with digest that is displayed for a pinned runtime.
func PinnedReference(image, digest string) string {
	return entity.Repository(image) + "@" + digest
}
