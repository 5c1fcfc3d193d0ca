package lithops

import (
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops/pyyaml"
)

// Compute returns the section of a backend as a client of this version reads it, with defaults set. Missing keys stay
// empty; Validate reports whether the client can work with the result.
func (c *Config) Compute(backend Backend, install Install) (Compute, error) {
	if err := CheckRelease(backend, install.Version); err != nil {
		return Compute{}, err
	}
	rel := parseRelease(install.Version)
	r := c.computeReader(backend, rel)
	out := Compute{
		Backend:         backend,
		Endpoint:        r.text("endpoint"),
		Namespace:       r.text("namespace"),
		NamespaceID:     r.text("namespace_id"),
		APIKey:          r.text("api_key"),
		IAMAPIKey:       r.text("iam_api_key"),
		Token:           r.text("token"),
		TokenExpiry:     r.number("token_expiry_time", 0),
		ResourceGroupID: r.text("resource_group_id"),
		Insecure:        backend == OpenWhisk && r.flag("insecure"),
		RuntimeMemory:   int(r.number("runtime_memory", int64(DefaultMemory(backend, install.Version)))),
		RuntimeTimeout:  int(r.number("runtime_timeout", int64(DefaultTimeout(backend, install.Version)))),
		DockerServer:    r.text("docker_server"),
		DockerUser:      r.text("docker_user"),
		DockerPassword:  r.text("docker_password"),
	}
	switch {
	case out.DockerServer != "":
	case r.has("docker_server"):
		out.DockerServer = noDockerServer
	default:
		out.DockerServer = DefaultDockerServer
	}
	if name := r.text("runtime"); name != "" && name != "default" {
		out.Runtime = Image(name, out.DockerServer, install.Version)
	}
	if backend == CodeEngine {
		out.Endpoint, out.Region = "", r.text("region") // the client uses only the endpoint of the region
		out.Project, out.ProjectID = r.text("project_name"), r.text("project_id")
		out.DockerNamespace = r.text("docker_namespace")
		out.RuntimeMilliCPU = r.milliCPU("runtime_cpu", defaultMilliCPU)
	}
	if backend == IBMCF {
		out.Region = r.text("region")
		if out.Endpoint != "" {
			out.Region = regionOf(out.Endpoint, 0)
			if out.Region == "" {
				r.fail(i18n.M("The key 'endpoint' in section 'ibm_cf' of the Lithops configuration is not a URL ({{.Place}}).",
					"Place", location(c.source, r.values["endpoint"].Line, 0)),
					i18n.M("Set it to https://REGION.functions.cloud.ibm.com."))
			} else if rel.before(2, 2, 12) {
				out.Region = strings.ReplaceAll(out.Region, "-", "_")
			}
		}
	}
	return out, r.err
}

// computeReader merges the sections in the order of the release. "ibm" takes precedence over "ibm_cf" before 3.0, and
// "ibm_cf" over "ibm" since 3.0. Before 2.3.5 the runtime keys were in section "serverless" (config.py of both
// backends).
func (c *Config) computeReader(backend Backend, rel release) *reader {
	name := string(backend)
	var r *reader
	switch {
	case backend == OpenWhisk:
		r = c.reader(name)
	case rel.before(3, 0, 0):
		r = c.reader(name, "ibm")
	default:
		r = c.reader("ibm", name)
	}
	if !rel.before(2, 3, 5) {
		return r
	}
	serverless := c.reader("serverless")
	for _, key := range []string{"runtime", "runtime_memory", "runtime_timeout"} {
		if key == "runtime" && !rel.before(2, 3, 1) && r.has(key) {
			continue
		}
		delete(r.values, key)
		if v := serverless.values[key]; v != nil {
			r.values[key], r.names[key] = v, "serverless"
		}
	}
	if r.err == nil {
		r.err = serverless.err
	}
	if backend == IBMCF && !(r.has("endpoint") && r.has("namespace")) {
		r.overlayRegion(c.root.Get(name).Get("regions"), serverless.values["region"])
	}
	return r
}

// overlayRegion applies the region settings of releases before 2.3.5. Their ibm_cf section may contain several regions,
// and section "serverless" selects one. The default is the first region.
func (r *reader) overlayRegion(regions, chosen *pyyaml.Node) {
	if regions == nil || regions.Kind != pyyaml.Map || len(regions.Keys) == 0 {
		return
	}
	name := regions.Keys[0]
	if chosen != nil && chosen.Kind == pyyaml.List && len(chosen.Items) > 0 {
		chosen = chosen.Items[0]
	}
	if chosen != nil && chosen.Kind == pyyaml.Text {
		name = chosen.Text
	}
	r.overlay("ibm_cf", regions.Get(name))
	r.overlay("ibm", r.config.root.Get("ibm"))
}

// regionOf returns endpoint.split('//')[1].split('.')[label], as the client does. It returns "" if there is no such
// part.
func regionOf(endpoint string, label int) string {
	parts := strings.Split(endpoint, "//")
	if len(parts) < 2 {
		return ""
	}
	labels := strings.Split(parts[1], ".")
	if label >= len(labels) {
		return ""
	}
	return labels[label]
}

// SetBackend sets the compute backend in the section that a release reads: "serverless" before 2.3.5, "lithops" since
// then.
func SetBackend(d *Document, backend Backend, version string) {
	if parseRelease(version).before(2, 3, 5) {
		d.Set("lithops", "mode", "serverless")
		d.Set("serverless", "backend", string(backend))
		return
	}
	d.Set("lithops", "backend", string(backend))
}

// EndpointNeeded reports whether a release requires the endpoint of ibm_cf because it does not derive it from the
// region.
func EndpointNeeded(version string) bool { return parseRelease(version).before(3, 0, 0) }

// Validate returns an error if a key that a client of this version requires is missing. The error names the key and
// suggests a fix.
func (c Compute) Validate(version string) error {
	old := parseRelease(version).before(3, 0, 0)
	section := string(c.Backend)
	switch {
	case c.Backend == OpenWhisk && c.APIKey == "":
		return missing("api_key", section)
	case c.Backend == OpenWhisk && c.Endpoint == "":
		return missing("endpoint", section)
	case c.Namespace == "" && (c.Backend == OpenWhisk || old):
		return missing("namespace", section)
	case c.Backend == OpenWhisk:
		return nil
	case c.Backend == CodeEngine && c.ResourceGroupID == "":
		return missing("resource_group_id", "ibm")
	case old && c.Endpoint == "":
		return missing("endpoint", section)
	case old && c.APIKey == "" && c.IAMAPIKey == "":
		return missing("iam_api_key", "ibm")
	case old && c.APIKey == "" && c.NamespaceID == "":
		return missing("namespace_id", section)
	case !old && c.IAMAPIKey == "":
		return missing("iam_api_key", "ibm")
	case !old && c.Region == "":
		return missing("region", section)
	}
	return nil
}

func missing(key, section string) error {
	return fault.New(fault.Invalid,
		i18n.M("The key '{{.Key}}' is missing from section '{{.Section}}' of the Lithops configuration.", "Key", key, "Section", section),
		i18n.M("Add the key; 'ibmcloud fn-runtime lithops-config -b local' prints a working configuration."))
}
