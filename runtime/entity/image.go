package entity

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
	Push       bool
	Check      bool     // start the image and test it before it is pushed
	Python     string   // "3.11": the Python that Check expects; "" expects any
	Modules    []string // that Check expects to be importable
}

// ImageBuilt is the outcome of a build.
type ImageBuilt struct {
	Image  string // as the client names it
	ID     string // local image id, "sha256:..."
	Digest string // repository digest, "sha256:..."; "" when not pushed
	Size   int64  // bytes, uncompressed
	Python string // found by Check
}
