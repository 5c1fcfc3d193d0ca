package runtime

import (
	"strings"

	"fn-runtime/runtime/lithops"
)

// describeCodeEngine writes the settings that a client needs for Code Engine. It sets the image, because without it the
// client would build one and push it to an account.
func (s *Service) describeCodeEngine(doc *lithops.Document) {
	doc.Set("ibm", "iam_api_key", s.Settings.IAMAPIKey)
	doc.Set("ibm", "resource_group_id", s.Target.ResourceGroup)
	section := string(lithops.CodeEngine)
	doc.Set(section, "region", s.Target.Region)
	doc.Set(section, "project_name", s.Compute.Scope().Name)
	s.setDefaultImage(doc)
}

func (s *Service) setDefaultImage(doc *lithops.Document) {
	if image, err := lithops.DefaultImage(lithops.CodeEngine, s.Install.Version, s.Install.Python); err == nil && s.Settings.Runtime == "" {
		doc.Set(string(lithops.CodeEngine), "runtime", image)
	}
}

// overrideCodeEngine changes a configuration, which may be for another backend, if the target differs from it, or if
// the service would reject the CPU and memory that it requests.
func (s *Service) overrideCodeEngine(doc *lithops.Document, configured lithops.Compute) {
	section := string(lithops.CodeEngine)
	if s.Settings.Region != configured.Region || s.Settings.Project != configured.Project {
		doc.Delete(section, "project_id")
		doc.Delete(section, "namespace")
		doc.Set(section, "region", s.Settings.Region)
		doc.Set(section, "project_name", s.Settings.Project)
	}
	s.setIBMSection(doc, configured)
	s.setDefaultImage(doc)
	size := lithops.JobSize{MilliCPU: configured.RuntimeMilliCPU, MemoryMB: configured.RuntimeMemory}
	if least, err := lithops.SmallestJobSize(size.MemoryMB); err == nil && size.Check() != nil {
		doc.Set(section, "runtime_cpu", float64(least.MilliCPU)/1000)
	}
}

// setDirectEndpoint sets the endpoint with which jobs reach the bucket if the client does not derive it from the
// region. Workers on Cloud Functions use another endpoint.
func setDirectEndpoint(doc *lithops.Document, store lithops.Storage) {
	if store.Backend != lithops.IBMCOS || !doc.Has(lithops.IBMCOS, "endpoint") || strings.Contains(store.PrivateEndpoint, "direct") {
		return
	}
	public := strings.Replace(store.Endpoint, "//s3.private.", "//s3.", 1)
	doc.Set(lithops.IBMCOS, "private_endpoint", strings.Replace(public, "//s3.", "//s3.direct.", 1))
}
