package lithops

import (
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops/pyyaml"
)

// regions are the regions of IBM Cloud Functions (config.py of ibm_cf: REGIONS).
var regions = []string{"jp-tok", "au-syd", "eu-gb", "eu-de", "us-south", "us-east"}

// jobRegions are the regions of Code Engine that the client accepts (config.py of code_engine: VALID_REGIONS).
var jobRegions = []string{"us-south", "us-east", "ca-tor", "eu-de", "eu-gb", "eu-es", "jp-osa", "jp-tok", "br-sao", "au-syd"}

// Regions returns the regions that the client supports for a backend of IBM Cloud. It returns nil for other backends.
func Regions(backend Backend) []string {
	switch backend {
	case IBMCF:
		return slices.Clone(regions)
	case CodeEngine:
		return slices.Clone(jobRegions)
	}
	return nil
}

// Rejection returns the first reason for which a client of this version would reject the configuration although this
// program can work with it: keys that a session or a flag can provide for this program but not for the client, and keys
// that only workers need. It returns the zero Message if there is no such reason or no configuration.
func (c *Config) Rejection(backend Backend, install Install) i18n.Message {
	if !c.exists() {
		return i18n.Message{}
	}
	rel := parseRelease(install.Version)
	var first i18n.Message
	reject := func(what i18n.Message) {
		if first.IsZero() {
			first = i18n.M("The Lithops client {{.Version}} rejects the configuration {{.Source}}: {{.What}}",
				"Version", install.Version, "Source", c.source, "What", what)
		}
	}
	if backend == IBMCF && !rel.before(3, 0, 0) {
		c.checkFunctions(reject)
	}
	if backend == CodeEngine {
		c.checkJobs(reject)
	}
	if cf := c.root.Get(string(IBMCF)); backend == IBMCF && rel.before(2, 3, 5) && cf.Get("iam_api_key") != nil && cf.Get("api_key") == nil &&
		c.root.Get("ibm").Get("iam_api_key") == nil {
		reject(wrongSection())
	}
	if store, err := c.StorageBackend(); err == nil && store == IBMCOS {
		c.checkCOS(backend, rel, reject)
	}
	return first
}

func wrongSection() i18n.Message {
	return i18n.M("The client reads 'iam_api_key' from section 'ibm', but the key is in section 'ibm_cf'.")
}

// checkFunctions applies the rules of serverless/backends/ibm_cf/config.py of 3.0 and later.
func (c *Config) checkFunctions(reject func(i18n.Message)) {
	ibm, cf := c.root.Get("ibm"), c.root.Get(string(IBMCF))
	switch {
	case ibm.Get("iam_api_key") != nil:
	case cf.Get("iam_api_key") != nil:
		reject(wrongSection())
	case cf.Get("api_key") != nil:
		reject(i18n.M("The client requires 'iam_api_key' in section 'ibm' and does not accept a Cloud Foundry key ('api_key')."))
	default:
		reject(i18n.M("The key 'iam_api_key' is missing from section 'ibm'."))
	}
	if cf.Get("endpoint") != nil || ibm.Get("endpoint") != nil {
		return
	}
	region := cf.Get("region")
	if region == nil {
		region = ibm.Get("region")
	}
	switch {
	case region == nil:
		reject(i18n.M("The key 'region' is missing from section 'ibm_cf'."))
	case !slices.Contains(regions, region.Text):
		reject(i18n.M("IBM Cloud Functions does not support region '{{.Region}}'.", "Region", region.Text))
	}
}

// checkJobs applies the rules of serverless/backends/code_engine/config.py.
func (c *Config) checkJobs(reject func(i18n.Message)) {
	for _, key := range []string{"iam_api_key", "resource_group_id"} {
		if c.root.Get("ibm").Get(key) == nil {
			reject(i18n.M("The key '{{.Key}}' is missing from section 'ibm'.", "Key", key))
		}
	}
	r := c.reader("ibm", string(CodeEngine))
	switch region := r.values["region"]; {
	case region == nil:
		reject(i18n.M("The key 'region' is missing from section '{{.Section}}'.", "Section", CodeEngine))
	case !slices.Contains(jobRegions, region.Scalar()):
		reject(i18n.M("The Lithops client does not support the Code Engine region '{{.Region}}'.", "Region", region.Scalar()))
	}
	size := JobSize{r.milliCPU("runtime_cpu", defaultMilliCPU), int(r.number("runtime_memory", int64(DefaultMemory(CodeEngine, ""))))}
	if size.RejectedByClient() {
		reject(i18n.M("The client does not accept a 'runtime_cpu' of {{.CPU}} with a 'runtime_memory' of {{.Memory}} MB.", "CPU", FormatCPU(size.MilliCPU), "Memory", size.MemoryMB))
	}
}

// checkCOS applies the rules of storage/backends/ibm_cos/config.py. Workers of ibm_cf and code_engine use the private
// endpoint of the store. The client derives the private endpoint only if it derives the public one too.
func (c *Config) checkCOS(backend Backend, rel release, reject func(i18n.Message)) {
	cos, ibm := c.root.Get(IBMCOS), c.root.Get("ibm")
	merged := func(key string) *pyyaml.Node {
		if v := cos.Get(key); v != nil {
			return v
		}
		if !rel.before(3, 0, 0) {
			return ibm.Get(key)
		}
		return nil
	}
	derived := cos.Get("region") != nil && !rel.before(2, 2, 7)
	if !rel.before(3, 0, 0) {
		compute := c.root.Get(string(backend))
		hasComputeRegion := compute.Get("region") != nil || backend == IBMCF && compute.Get("endpoint") != nil
		derived = merged("endpoint") == nil && (merged("region") != nil || backend != OpenWhisk && hasComputeRegion)
	}
	private, network := merged("private_endpoint"), "private"
	if backend == CodeEngine {
		network = "direct"
	}
	switch {
	case backend == OpenWhisk || derived:
	case private == nil:
		reject(i18n.M("With 'endpoint' in section 'ibm_cos', the client also requires 'private_endpoint'. To derive both, set 'region' instead."))
	case !strings.Contains(private.Text, network) && backend == CodeEngine:
		reject(i18n.M("'private_endpoint' in section 'ibm_cos' is not a direct endpoint such as https://s3.direct.REGION.cloud-object-storage.appdomain.cloud."))
	case !strings.Contains(private.Text, network):
		reject(i18n.M("'private_endpoint' in section 'ibm_cos' is not a private endpoint."))
	case !strings.HasPrefix(private.Text, "http"):
		reject(i18n.M("'private_endpoint' in section 'ibm_cos' does not start with https://."))
	}
	if !rel.before(3, 6, 2) && merged("service_instance_id") == nil && merged("access_key_id") == nil && merged("secret_access_key") == nil {
		reject(i18n.M("Section 'ibm_cos' contains neither 'service_instance_id' nor the pair 'access_key_id' and 'secret_access_key'."))
	}
}
