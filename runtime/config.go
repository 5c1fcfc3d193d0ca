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

// maxConfigFile is the maximum size of an existing configuration file in bytes. The example file of Lithops has 10 KB.
const maxConfigFile = 1 << 20

// localInterval is the interval in seconds at which the client polls the local endpoint for results. The client's
// default of 2 s saves requests to services that charge for them. Lithops 3.4 and later read the key; older releases
// ignore it.
const localInterval = 0.2

// LithopsConfig returns the YAML configuration with which the Lithops client uses the target of this service. If a
// configuration was read, it is that configuration with the overrides of flags and session. Secrets are masked unless
// requested, so that the output can be shared.
func (s *Service) LithopsConfig(_ context.Context, req ConfigRequest) ([]byte, error) {
	doc, err := s.configuration()
	if err != nil {
		return nil, err
	}
	more := []string{"The client reads ~/.lithops/config, or the file that LITHOPS_CONFIG_FILE specifies. To write the file, rerun this command with '-o FILE'."}
	if !req.ShowSecrets {
		doc.Mask(lithops.Masked)
		more = append(more, "Secrets are masked. To print them, rerun this command with '--show-secrets'.")
	}
	return doc.Text(s.Target.Endpoint+".", append(more, s.environmentComments(req.Program)...)...)
}

// WriteLithopsConfig writes the configuration with secrets to a file. It keeps existing settings that do not concern
// the target. It replaces the file atomically, restricts access to the owner, and keeps a copy of the old file next to
// it.
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
		doc, err = mergeInto(path, s.Install.Version, doc)
	}
	if err != nil {
		return done, unwritable(done.File, err)
	}
	data, err := doc.Text(s.Target.Endpoint+", written by '"+req.Program+" lithops-config'.", s.environmentComments(req.Program)...)
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

// mergeInto returns the configuration file at path with the settings of over.
func mergeInto(path, version string, over *lithops.Document) (*lithops.Document, error) {
	existing, err := lithops.Load(lithops.LoadOptions{File: path, Version: version})
	if err != nil {
		return nil, err
	}
	doc, err := existing.Document()
	if err == nil {
		doc.Merge(over)
	}
	return doc, err
}

// unwritable returns the error for a configuration file that cannot be written.
func unwritable(path string, err error) error {
	if _, ok := errors.AsType[*fault.Fault](err); ok {
		return err
	}
	return fault.New(fault.Failed, i18n.M("The Lithops configuration {{.Path}} cannot be written: {{.Error}}.", "Path", path, "Error", err),
		i18n.M("Make the file and its directory writable, or specify another file.")).Because(err)
}

// environmentComments returns comments about the environment variables that the client needs for the local endpoint.
func (s *Service) environmentComments(program string) []string {
	exports := "'" + program + " " + s.Target.EnvCommand() + "'"
	switch {
	case s.Target.CABundle == "":
		return nil
	case s.Target.Proxy != "": // the proxy URL contains a secret
		return []string{"The client reaches the endpoint only with the environment variables that " + exports + " prints. Without them, it connects to IBM Cloud."}
	}
	return []string{"To verify the endpoint's certificate, the client needs these environment variables (printed by " + exports + "):",
		"  REQUESTS_CA_BUNDLE=" + s.Target.CABundle, "  AWS_CA_BUNDLE=" + s.Target.CABundle}
}

// configuration returns the configuration that was read with the overrides of flags and session, or a new one for the
// target.
func (s *Service) configuration() (*lithops.Document, error) {
	doc, err := s.Config.Document()
	if err != nil {
		return nil, err
	}
	if doc.Empty() {
		s.describeTarget(doc)
		return doc, nil
	}
	return doc, s.applyOverrides(doc)
}

// describeTarget writes the settings of the target to a new configuration, with the keys of the client's release.
func (s *Service) describeTarget(doc *lithops.Document) {
	lithops.SetBackend(doc, s.Contract.Backend, s.Install.Version)
	doc.Set("lithops", "storage", s.Storage.Backend)
	if s.Target.CAFile != "" {
		doc.Set("lithops", "monitoring_interval", localInterval)
	}
	if s.Contract.Backend == lithops.CodeEngine {
		s.describeCodeEngine(doc)
		lithops.SetStorage(doc, s.Storage, s.Target.Bucket, s.Install.Version)
		setDirectEndpoint(doc, s.Storage)
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
	lithops.SetStorage(doc, s.Storage, s.Target.Bucket, s.Install.Version)
}

// setIBMSection sets the keys that most releases of the client read only from section 'ibm'. Their values may be in
// another section or in the session.
func (s *Service) setIBMSection(doc *lithops.Document, configured lithops.Compute) {
	if !doc.Has("ibm", "iam_api_key") {
		doc.Set("ibm", "iam_api_key", configured.IAMAPIKey)
	}
	if !doc.Has("ibm", "resource_group_id") {
		doc.Set("ibm", "resource_group_id", cmp.Or(configured.ResourceGroupID, s.Target.ResourceGroup))
	}
}

// applyOverrides changes a configuration if the target differs from the one in the configuration.
func (s *Service) applyOverrides(doc *lithops.Document) error {
	backend := s.Contract.Backend
	if named, err := s.Config.Backend(); err != nil || named != string(backend) {
		lithops.SetBackend(doc, backend, s.Install.Version)
	}
	configured, err := s.Config.Compute(backend, s.Install)
	if err != nil {
		return err
	}
	section := string(backend)
	if backend == lithops.IBMCF {
		if r := s.Settings.Region; r != configured.Region {
			doc.Delete(section, "endpoint")
			doc.Set(section, "region", r)
			if lithops.EndpointNeeded(s.Install.Version) {
				doc.Set(section, "endpoint", s.Target.Endpoint)
			}
		}
		s.setIBMSection(doc, configured)
	}
	if backend == lithops.CodeEngine {
		s.overrideCodeEngine(doc, configured)
	} else if name := s.Settings.Namespace; name != configured.Namespace {
		doc.Delete(section, "namespace_id")
		doc.Set(section, "namespace", name)
	}
	if s.Target.CAFile != "" {
		doc.Delete(section, "insecure")
	}
	store, err := s.Config.Storage(configured, s.Install)
	if err != nil {
		return err
	}
	if s.Target.Bucket != "" && s.Target.Bucket != store.Bucket {
		lithops.SetBucket(doc, store.Backend, s.Target.Bucket, s.Install.Version)
	}
	if backend == lithops.CodeEngine {
		setDirectEndpoint(doc, store)
	}
	if backend == lithops.IBMCF && store.Backend == lithops.IBMCOS && doc.Has(lithops.IBMCOS, "endpoint") && !doc.Has(lithops.IBMCOS, "private_endpoint") && !doc.Has(lithops.IBMCOS, "region") {
		// Without private_endpoint, the client rejects the section. With a region, releases before 3.0 derive both
		// endpoints.
		doc.Set(lithops.IBMCOS, "private_endpoint", strings.Replace(store.Endpoint, "//s3.", "//s3.private.", 1))
	}
	return nil
}
