package site

import (
	"cmp"

	"fn-runtime/runtime/entity"
)

// Wanted is one runtime as it should be.
type Wanted struct {
	ID       entity.ID
	Key      string // of the metadata object
	Image    string // as the client names it: ID and Key come from it
	Digest   string // "" when not known
	Pin      bool   // run what has the digest, under a tag that is not moved
	MemoryMB int
	MilliCPU int // 0 where the service has no choice, or where what is deployed is to stay
	TimeoutS int
	InImage  bool   // the Lithops code is in the image
	Python   string // that the runtime must have
	Source   string // fingerprint of what the image is built from; "" where it is not built
}

// Want describes a runtime by an image as the client names it; python "" is the client's.
func (s *Site) Want(image string, memoryMB, timeoutS int, python string) Wanted {
	w := Wanted{Image: image, MemoryMB: memoryMB, TimeoutS: timeoutS, Python: cmp.Or(python, s.Install.Python)}
	w.ID, w.Key = s.Contract.Runtime(image, memoryMB)
	return w
}

// Reference is what the service is told to run.
func (w Wanted) Reference() string {
	if w.Pin && w.Digest != "" {
		return entity.FixedTag(w.Image, w.Digest)
	}
	return w.Image
}

// PinnedReference names the image that a pinned runtime runs, for people and programs.
func PinnedReference(image, digest string) string {
	return entity.Repository(image) + "@" + digest
}
