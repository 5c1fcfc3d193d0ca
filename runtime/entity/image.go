package entity

import (
	"context"
	"strings"
)

// DefaultPlatform is the platform of OpenWhisk and IBM Cloud Functions.
const DefaultPlatform = "linux/amd64"

// ImageBuild describes an image to build and to push.
type ImageBuild struct {
	Image      string            // reference with tag, normalized
	Context    string            // directory
	Dockerfile string            // path; "" is Dockerfile in Context
	Args       map[string]string // build arguments
	Platform   string            // "" is DefaultPlatform
	Pull       bool
	NoCache    bool
	Target     string            // stage to build; "" is the last one
	Labels     map[string]string // of the image
	CacheFrom  []string          // images whose layers may be reused
	Network    string            // of RUN steps: "default", "none", "host"; "" selects the engine's default
	Secrets    []BuildSecret     // for 'RUN --mount=type=secret'; needs BuildKit
	SSH        []BuildSSH        // for 'RUN --mount=type=ssh'; needs BuildKit
	Push       bool
	Pin        bool     // also push it under FixedTag
	Check      bool     // start and test the image before it is pushed
	Python     string   // "3.11": version that Check requires; "" accepts any
	Modules    []string // Python modules that Check must be able to import
	ExtraFile  *BuildFile
	Trial      *Trial // how Check starts the image as a job; nil starts it as an OpenWhisk action
}

// BuildFile is a file that is added to the build context if the Dockerfile refers to it.
type BuildFile struct {
	Name string
	Make func(ctx context.Context) ([]byte, error) // creates the content
}

// Trial describes a job with which Check tests an image. The job runs in a container without a network and writes the
// metadata of the image to a file.
type Trial struct {
	Command []string
	Env     []string                                             // NAME=VALUE
	Files   func(ctx context.Context) (map[string][]byte, error) // files in the container, by absolute path
	Result  string                                               // absolute path of the file to which the job writes the metadata
	Lithops string                                               // version that the image must contain
}

// Repository returns a reference without tag and digest.
func Repository(image string) string {
	repository, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
		repository = repository[:colon]
	}
	return repository
}

// FixedTag returns the image with the tag "sha-" and 12 hexadecimal digits of its digest. This tag is never moved.
// OpenWhisk runs images by tag and ignores the digest of a reference.
func FixedTag(image, digest string) string {
	hex := strings.TrimPrefix(digest, "sha256:")
	return Repository(image) + ":sha-" + hex[:min(12, len(hex))]
}

// BuildSecret is a value that a build step may read and that is not stored in a layer. It is read from File or from the
// environment variable Env. If both are empty, it is read from the variable or else the file named by its ID.
type BuildSecret struct{ ID, File, Env string }

// BuildSSH is an SSH agent that a build step may use.
type BuildSSH struct{ ID, Socket string } // Socket: path; "" selects SSH_AUTH_SOCK

// SupersededImage is an image in a container engine that lost its build tag to a newer image.
type SupersededImage struct {
	Image   string   // the lost tag, normalized
	ID      string   // in the engine, "sha256:..."
	Tags    []string // remaining tags, normalized
	Digests []string // in registries, "sha256:..."
	Size    int64    // bytes, uncompressed
}

// ImageBuilt is the result of a build.
type ImageBuilt struct {
	Image  string // as the client names it
	ID     string // local image ID, "sha256:..."
	Digest string // repository digest, "sha256:..."; "" if not pushed
	Size   int64  // bytes, uncompressed
	Python string // found by Check
}
