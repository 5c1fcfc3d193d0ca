package runtime

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/atomicfile"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/regular"
)

// maxConfigFile bounds the file that a configuration is written into, in bytes; Lithops' own example has 10 KB.
const maxConfigFile = 1 << 20

// localInterval is how often the client looks for results in the local endpoint, in s. Its default of 2 s spares a service
// that costs money for each request (Lithops 3.4 and later read the key, older releases leave it aside).
const localInterval = 0.2

// LithopsConfig returns the YAML that makes the Lithops client use the target of this service. Where a configuration was
// read it is that one, with what flags and session say otherwise. Secrets are masked unless the request wants them, so
// that the text can be shown prerequisites.
func (s *Service) LithopsConfig(_ context.Context, req ConfigRequest) ([]byte, error) {
	doc, err := s.configuration()
	if err != nil {
		return nil, err
	}
	more := []string{"Save it as ~/.lithops/config, or name the file in LITHOPS_CONFIG_FILE; '" + req.Program + " lithops-config -o FILE' does."}
	if !req.ShowSecrets {
		doc.Mask(lithops.Masked)
		more = append(more, "Secrets are masked: print them with '"+req.Program+" lithops-config --show-secrets'.")
	}
	return doc.Text(s.Target.Endpoint+".", append(more, s.verifying(req.Program)...)...)
}

// WriteLithopsConfig writes the same into a file, with its secrets: what is there and says nothing about the target stays.
// The file is replaced whole, with rights for its owner alone; of what was there before a copy is kept beside it.
func (s *Service) WriteLithopsConfig(_ context.Context, req ConfigRequest, path string) (ConfigWritten, error) {
	done := ConfigWritten{File: path}
	doc, err := s.configuration()
	if err != nil {
		return done, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	before, err := regular.Read(path, maxConfigFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	case err == nil:
		doc, err = mergedInto(path, s.Install.Version, doc)
	}
	if err != nil {
		return done, unwritable(done.File, err)
	}
	data, err := doc.Text(s.Target.Endpoint+", written by '"+req.Program+" lithops-config'.", s.verifying(req.Program)...)
	if err != nil {
		return done, unwritable(done.File, err)
	}
	if done.Changed = !bytes.Equal(before, data); !done.Changed {
		return done, nil
	}
	if len(bytes.TrimSpace(before)) > 0 {
		done.Copy = done.File + ".bak"
		if err := atomicfile.Write(path+".bak", before); err != nil {
			return done, unwritable(done.Copy, err)
		}
	}
	if err := atomicfile.Write(path, data); err != nil {
		return done, unwritable(done.File, err)
	}
	return done, nil
}

func mergedInto(path, version string, over *lithops.Document) (*lithops.Document, error) {
	there, err := lithops.Load(lithops.LoadOptions{File: path, Version: version})
	if err != nil {
		return nil, err
	}
	doc, err := there.Document()
	if err == nil {
		doc.Merge(over)
	}
	return doc, err
}

func unwritable(path string, err error) error {
	if _, ok := errors.AsType[*fault.Fault](err); ok {
		return err
	}
	return fault.New(fault.Failed, i18n.M("The Lithops configuration {{.Path}} cannot be written: {{.Error}}.", "Path", path, "Error", err),
		i18n.M("Make the file and its directory writable, or specify another file.")).Because(err)
}

// verifying is what a configuration for the local endpoint says of the client's environment.
func (s *Service) verifying(program string) []string {
	exports := "'" + program + " " + s.Target.EnvCommand() + "'"
	switch {
	case s.Target.CABundle == "":
		return nil
	case s.Target.Proxy != "": // its address holds a secret
		return []string{"The client reaches the endpoint with what " + exports + " prints in its environment, and IBM Cloud itself without."}
	}
	return []string{"The client verifies the endpoint's certificate with this in its environment (" + exports + "):",
		"  REQUESTS_CA_BUNDLE=" + s.Target.CABundle, "  AWS_CA_BUNDLE=" + s.Target.CABundle}
}

// configuration returns the configuration that was read with what flags and session change in it, or one that is made of
// the target.
func (s *Service) configuration() (*lithops.Document, error) {
	doc, err := s.Config.Document()
	if err != nil {
		return nil, err
	}
	if doc.Empty() {
		s.describeTarget(doc)
		return doc, nil
	}
	return doc, s.adjust(doc)
}

// describeTarget makes a configuration of what is known of the target, with the keys of the client's release.
func (s *Service) describeTarget(doc *lithops.Document) {
	lithops.SetBackend(doc, s.Contract.Backend, s.Install.Version)
	doc.Set("lithops", "storage", s.Storage.Backend)
	if s.Target.CAFile != "" {
		doc.Set("lithops", "monitoring_interval", localInterval)
	}
	if s.Contract.Backend == lithops.CodeEngine {
		s.describeJobs(doc)
		lithops.DescribeStorage(doc, s.Storage, s.Target.Bucket, s.Install.Version)
		direct(doc, s.Storage)
		return
	}
	c, section := s.Settings, string(s.Contract.Backend)
	if s.Contract.Backend == lithops.IBMCF {
		doc.Set("ibm", "iam_api_key", c.IAMAPIKey)
		doc.Set("ibm", "resource_group_id", s.Target.ResourceGroup)
		doc.Set(section, "region", s.Target.Region)
		doc.Set(section, "namespace_id", s.Compute.Scope().ID)
	}
	doc.Set(section, "endpoint", c.Endpoint)
	doc.Set(section, "namespace", s.Target.Namespace)
	doc.Set(section, "api_key", c.APIKey)
	lithops.DescribeStorage(doc, s.Storage, s.Target.Bucket, s.Install.Version)
}

// belowIBM puts into section 'ibm' what most releases of the client look for there alone, and what may stand elsewhere or
// come from the session.
func (s *Service) belowIBM(doc *lithops.Document, was lithops.Compute) {
	if !doc.Has("ibm", "iam_api_key") {
		doc.Set("ibm", "iam_api_key", was.IAMAPIKey)
	}
	if !doc.Has("ibm", "resource_group_id") {
		doc.Set("ibm", "resource_group_id", cmp.Or(was.ResourceGroupID, s.Target.ResourceGroup))
	}
}

// adjust changes a configuration where the target is another than the one that it names.
func (s *Service) adjust(doc *lithops.Document) error {
	backend := s.Contract.Backend
	if named, err := s.Config.Backend(); err != nil || named != string(backend) {
		lithops.SetBackend(doc, backend, s.Install.Version)
	}
	was, err := s.Config.Compute(backend, s.Install)
	if err != nil {
		return err
	}
	section := string(backend)
	if backend == lithops.IBMCF {
		if r := s.Settings.Region; r != was.Region {
			doc.Delete(section, "endpoint")
			doc.Set(section, "region", r)
			if lithops.EndpointNeeded(s.Install.Version) {
				doc.Set(section, "endpoint", s.Target.Endpoint)
			}
		}
		s.belowIBM(doc, was)
	}
	if backend == lithops.CodeEngine {
		s.adjustJobs(doc, was)
	} else if name := s.Settings.Namespace; name != was.Namespace {
		doc.Delete(section, "namespace_id")
		doc.Set(section, "namespace", name)
	}
	if s.Target.CAFile != "" {
		doc.Delete(section, "insecure")
	}
	store, err := s.Config.Storage(was, s.Install)
	if err != nil {
		return err
	}
	if s.Target.Bucket != "" && s.Target.Bucket != store.Bucket {
		lithops.SetBucket(doc, store.Backend, s.Target.Bucket, s.Install.Version)
	}
	if backend == lithops.CodeEngine {
		direct(doc, store)
	}
	if backend == lithops.IBMCF && store.Backend == lithops.IBMCOS && doc.Has(lithops.IBMCOS, "endpoint") && !doc.Has(lithops.IBMCOS, "private_endpoint") && !doc.Has(lithops.IBMCOS, "region") {
		// without it the client refuses; with a region, releases before 3.0 make both
		doc.Set(lithops.IBMCOS, "private_endpoint", strings.Replace(store.Endpoint, "//s3.", "//s3.private.", 1))
	}
	return nil
}
