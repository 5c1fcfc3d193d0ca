// Package lithops describes, for each release, what the Lithops client expects: the installed package, the
// configuration, the names that the client derives, the handler archive and the metadata.
//
// It contains only facts about Lithops, each with the release that it was read from. It does not send requests to a
// compute service or a store.
package lithops

// Backend is a compute backend of Lithops.
type Backend string

// The backends for which runtimes can be deployed. The first two use the Apache OpenWhisk API.
const (
	IBMCF      Backend = "ibm_cf"
	OpenWhisk  Backend = "openwhisk"
	CodeEngine Backend = "code_engine"
)

// Install is an installation of Lithops on this machine.
type Install struct {
	Dir         string // package directory, ".../site-packages/lithops"
	Version     string // lithops.__version__, "3.7.0"
	Python      string // major.minor version of its Python, "3.11"
	Interpreter string // path of that Python; empty if only a package directory was specified
}

// Compute is the compute section of the Lithops configuration as the client reads it: section "ibm" is merged into
// "ibm_cf" or "code_engine", and defaults are set. Memory is in MB, timeouts are in seconds.
type Compute struct {
	Backend         Backend
	Endpoint        string // as configured; empty if only a region is configured
	Region          string // as the client derives it: on ibm_cf, the endpoint takes precedence
	Namespace       string // on code_engine, the namespace in metadata keys; see ProjectNamespace
	NamespaceID     string
	Project         string // code_engine: project name; empty for the DefaultNamespace
	ProjectID       string // code_engine
	APIKey          string // "uuid:key"; on ibm_cf, a Cloud Foundry key, up to 2.9
	IAMAPIKey       string
	Token           string // "token" of the ibm_cf section
	TokenExpiry     int64  // epoch seconds
	ResourceGroupID string
	Insecure        bool
	Runtime         string // configured default runtime; empty if none
	RuntimeMemory   int
	RuntimeTimeout  int
	RuntimeMilliCPU int // code_engine: mCPU that the client requests for every run, regardless of the job
	DockerServer    string
	DockerUser      string
	DockerNamespace string // code_engine: namespace in the IBM registry
	DockerPassword  string
}

// Storage is the section of the Lithops configuration for the store with the metadata bucket.
type Storage struct {
	Backend           string // "ibm_cos", "minio", "ceph", "aws_s3"
	Endpoint          string // including the scheme
	PrivateEndpoint   string // ibm_cos: endpoint for workers in IBM's network; empty if they use Endpoint
	Region            string
	Bucket            string // configured, or the name that the client derives
	AccessKeyID       string
	SecretAccessKey   string
	SessionToken      string
	APIKey            string // COS API key
	IAMAPIKey         string
	ServiceInstanceID string
}

// Contract derives the names that a client of one release expects.
type Contract struct {
	Backend   Backend
	Version   string // version of Lithops
	UserKey   string // user part of the names of packages or jobs
	Region    string // ibm_cf and code_engine
	Namespace string // name; for code_engine, see ProjectNamespace
}
