package entity

import (
	"context"
	"strings"
)

// DefaultPlatform is what OpenWhisk and IBM Cloud Functions run.
const DefaultPlatform = "linux/amd64"

// ImageBuild says what to build and where to push it.
type ImageBuild struct {
	Image      string            // reference with tag, normalised
	Context    string            // folder
	Dockerfile string            // path; "" is Dockerfile in Context
	Args       map[string]string // build arguments
	Platform   string            // "" is DefaultPlatform
	Pull       bool
	NoCache    bool
	Target     string            // stage to build; "" is the last one
	Labels     map[string]string // of the image
	CacheFrom  []string          // images whose layers may be used again
	Network    string            // of RUN steps: "default", "none", "host"; "" is the engine's choice
	Secrets    []BuildSecret     // for 'RUN --mount=type=secret'; needs BuildKit
	SSH        []BuildSSH        // for 'RUN --mount=type=ssh'; needs BuildKit
	Push       bool
	Pin        bool     // push it under FixedTag, too
	Check      bool     // start the image and test it before it is pushed
	Python     string   // "3.11": the Python that Check expects; "" expects any
	Modules    []string // that Check expects to be importable
	ExtraFile  *BuildFile
	Trial      *Trial // how Check starts a job of it; nil: it is started as an action of OpenWhisk
}

// BuildFile is a file that joins the folder of a build whose Dockerfile names it.
type BuildFile struct {
	Name string
	Make func(ctx context.Context) ([]byte, error)
}

// Trial is how an image is started as a job that says what is in it, without a network.
type Trial struct {
	Command []string
	Env     []string                                             // NAME=VALUE
	Files   func(ctx context.Context) (map[string][]byte, error) // that it finds, by absolute path
	Result  string                                               // absolute path of the metadata that it leaves
	Lithops string                                               // the version that it must have
}

// Repository is a reference without tag and digest.
func Repository(image string) string {
	repository, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
		repository = repository[:colon]
	}
	return repository
}

// FixedTag is the image under the tag "sha-" and 12 hexadecimal digits of its digest, which nobody moves: OpenWhisk runs
// images by tags, and reads past the digest of a reference.
func FixedTag(image, digest string) string {
	hex := strings.TrimPrefix(digest, "sha256:")
	return Repository(image) + ":sha-" + hex[:min(12, len(hex))]
}

// BuildSecret is a value that a step of a build may read and that no layer keeps. It comes from a file or from an
// environment variable; without either, from the variable or else the file that is named like its ID.
type BuildSecret struct{ ID, File, Env string }

// BuildSSH is an SSH agent that a step of a build may use.
type BuildSSH struct{ ID, Socket string } // Socket: path; "" is that of SSH_AUTH_SOCK

// SupersededImage is an image of an engine that lost the name under which it was built to a newer one.
type SupersededImage struct {
	Image   string   // that name, normalised
	ID      string   // in the engine, "sha256:..."
	Tags    []string // that it still has, normalised
	Digests []string // under which registries know it, "sha256:..."
	Size    int64    // bytes, uncompressed
}

// ImageBuilt is the outcome of a build.
type ImageBuilt struct {
	Image  string // as the client names it
	ID     string // local image id, "sha256:..."
	Digest string // repository digest, "sha256:..."; "" when not pushed
	Size   int64  // bytes, uncompressed
	Python string // found by Check
}
