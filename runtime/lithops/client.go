// Package lithops is the contract with the Lithops client: which Lithops is installed here, what its configuration
// says, which names it looks for, what its handler archive and its metadata look like - by release.
//
// What may go in: facts about Lithops, each with the release it was read from. What may not: calls to a compute
// service or a store.
package lithops

// Backend is a compute backend of Lithops.
type Backend string

// The backends that runtimes are deployed to. The API of the first two is Apache OpenWhisk's.
const (
	IBMCF      Backend = "ibm_cf"
	OpenWhisk  Backend = "openwhisk"
	CodeEngine Backend = "code_engine"
)

// Install is a Lithops installed on this machine.
type Install struct {
	Dir         string // the package's folder, ".../site-packages/lithops"
	Version     string // lithops.__version__, "3.7.0"
	Python      string // major.minor of its Python, "3.11"
	Interpreter string // path of that Python; "" when only a folder was given
}

// Compute is the compute section of the Lithops configuration as the client sees it: "ibm" merged into "ibm_cf" or
// "code_engine", defaults filled in. Memory in MB, timeout in s.
type Compute struct {
	Backend         Backend
	Endpoint        string // as configured; "" when only a region is
	Region          string // by the client's rules: endpoint wins on ibm_cf
	Namespace       string // code_engine: that of metadata, see ProjectNamespace
	NamespaceID     string
	Project         string // code_engine: its name; "" for the DefaultNamespace
	ProjectID       string // code_engine
	APIKey          string // openwhisk: "uuid:key"; ibm_cf until 2.9: Cloud Foundry key "uuid:key"
	IAMAPIKey       string
	Token           string // "token" of the ibm_cf section
	TokenExpiry     int64  // epoch seconds
	ResourceGroupID string
	Insecure        bool
	Runtime         string // configured default runtime; "" none
	RuntimeMemory   int
	RuntimeTimeout  int
	RuntimeMilliCPU int // code_engine: with which the client starts every run, whatever its job says; thousandths
	DockerServer    string
	DockerUser      string
	DockerNamespace string // code_engine: of IBM's registry
	DockerPassword  string
}

// Storage is the storage section of the Lithops configuration that holds the metadata bucket.
type Storage struct {
	Backend           string // "ibm_cos", "minio", "ceph", "aws_s3"
	Endpoint          string // with scheme
	PrivateEndpoint   string // ibm_cos: by which workers in IBM's network reach it; "" where that is the Endpoint
	Region            string
	Bucket            string // configured, or the name that the client makes up
	AccessKeyID       string
	SecretAccessKey   string
	SessionToken      string
	APIKey            string // COS API key
	IAMAPIKey         string
	ServiceInstanceID string
}

// Contract makes the names that a client of one release looks for.
type Contract struct {
	Backend   Backend
	Version   string // of Lithops
	UserKey   string // user part of the names of packages or jobs
	Region    string // ibm_cf and code_engine
	Namespace string // its name; of code_engine see ProjectNamespace
}
