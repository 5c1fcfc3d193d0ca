package runtime

import (
	"strings"

	"fn-runtime/runtime/lithops"
)

// describeJobs writes what a client needs for Code Engine. The image is named: without that the client would build one, and
// push it to an account.
func (s *Service) describeJobs(doc *lithops.Document) {
	doc.Set("ibm", "iam_api_key", s.Settings.IAMAPIKey)
	doc.Set("ibm", "resource_group_id", s.Target.ResourceGroup)
	section := string(lithops.CodeEngine)
	doc.Set(section, "region", s.Target.Region)
	doc.Set(section, "project_name", s.Compute.Scope().Name)
	s.nameImage(doc)
}

func (s *Service) nameImage(doc *lithops.Document) {
	if image, err := lithops.DefaultImage(lithops.CodeEngine, s.Install.Version, s.Install.Python); err == nil && s.Settings.Runtime == "" {
		doc.Set(string(lithops.CodeEngine), "runtime", image)
	}
}

// adjustJobs changes a configuration, which may be one for another backend, where the target is another than it names, and
// where the service would not start what the client asks it for.
func (s *Service) adjustJobs(doc *lithops.Document, was lithops.Compute) {
	section := string(lithops.CodeEngine)
	if s.Settings.Region != was.Region || s.Settings.Project != was.Project {
		doc.Delete(section, "project_id")
		doc.Delete(section, "namespace")
		doc.Set(section, "region", s.Settings.Region)
		doc.Set(section, "project_name", s.Settings.Project)
	}
	s.belowIBM(doc, was)
	s.nameImage(doc)
	scale := lithops.Scale{MilliCPU: was.RuntimeMilliCPU, MemoryMB: was.RuntimeMemory}
	if least, err := lithops.SmallestScale(scale.MemoryMB); err == nil && scale.Check() != nil {
		doc.Set(section, "runtime_cpu", float64(least.MilliCPU)/1000)
	}
}

// direct returns a store the endpoint by which jobs reach it, where the client does not make it of the region. That of
// workers on Cloud Functions is another.
func direct(doc *lithops.Document, store lithops.Storage) {
	if store.Backend != lithops.IBMCOS || !doc.Has(lithops.IBMCOS, "endpoint") || strings.Contains(store.PrivateEndpoint, "direct") {
		return
	}
	public := strings.Replace(store.Endpoint, "//s3.private.", "//s3.", 1)
	doc.Set(lithops.IBMCOS, "private_endpoint", strings.Replace(public, "//s3.", "//s3.direct.", 1))
}
