package site

import (
	"cmp"
	"strings"

	"fn-runtime/runtime/entity"
)

// Wanted is one runtime as it should be.
type Wanted struct {
	ID       entity.ID
	Key      string // of the metadata object
	Image    string // as the client names it: ID and Key come from it
	Digest   string // "" when not known
	Pin      bool   // run the digest rather than the tag
	MemoryMB int
	TimeoutS int
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
		return PinnedReference(w.Image, w.Digest)
	}
	return w.Image
}

// PinnedReference replaces the tag of a reference by a digest.
func PinnedReference(image, digest string) string {
	repository, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
		repository = repository[:colon]
	}
	return repository + "@" + digest
}
