package runtime

import (
	"bytes"
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"fn-runtime/runtime/lithops"
)

// hidden stands for a secret that was not asked for.
const hidden = "********"

// localInterval is how often the client looks for results in the local endpoint, in s. Its default of 2 s spares a service
// that costs money for each request (Lithops 3.4 and later read the key, older releases leave it aside).
const localInterval = 0.2

// LithopsConfig gives the YAML that makes the Lithops client use the target of this service: its backend, namespace and
// bucket. Secrets are masked unless the request wants them, so that the text can be shown around.
func (s *Service) LithopsConfig(_ context.Context, req ConfigRequest) ([]byte, error) {
	secret := func(v string) string {
		if v != "" && !req.ShowSecrets {
			return hidden
		}
		return v
	}
	doc := &document{}
	interval := 0.0 // the client's own
	if s.Target.Backend == BackendLocal {
		interval = localInterval
	}
	doc.section("lithops",
		"backend", string(s.Contract.Backend),
		"storage", s.Storage.Backend,
		"monitoring_interval", interval)
	c := s.Compute
	if s.Contract.Backend == lithops.OpenWhisk {
		doc.section("openwhisk",
			"endpoint", c.Endpoint, "namespace", c.Namespace, "api_key", secret(c.APIKey), "insecure", c.Insecure,
			"runtime", c.Runtime)
	} else {
		doc.section("ibm", "iam_api_key", secret(c.IAMAPIKey), "region", s.Target.Region, "resource_group_id", s.Target.ResourceGroup)
		doc.section("ibm_cf",
			"endpoint", c.Endpoint, "region", s.Target.Region, "namespace", s.Target.Namespace, "namespace_id", s.Target.NamespaceID,
			"api_key", secret(c.APIKey), "token", secret(c.Token), "token_expiry_time", c.TokenExpiry, "runtime", c.Runtime)
	}
	if st := s.Storage; st.Backend != "" {
		endpoint := st.Endpoint
		if st.Backend == lithops.AWSS3 {
			endpoint = "" // the client makes it from the region
		}
		doc.section(st.Backend,
			"endpoint", endpoint, "region", st.Region, "storage_bucket", s.Target.Bucket,
			"access_key_id", secret(st.AccessKeyID), "secret_access_key", secret(st.SecretAccessKey), "session_token", secret(st.SessionToken),
			"api_key", secret(st.APIKey), "service_instance_id", st.ServiceInstanceID)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Lithops configuration for %s. Save it as ~/.lithops/config, or name the file in LITHOPS_CONFIG_FILE.\n", s.Target.Endpoint)
	if !req.ShowSecrets {
		fmt.Fprintf(&out, "# Secrets are masked: print them with 'ibmcloud fn-runtime lithops-config --show-secrets'.\n")
	}
	if s.Target.Backend == BackendLocal {
		fmt.Fprintf(&out, "# The client verifies the endpoint's certificate with this in its environment ('ibmcloud fn-runtime local env'):\n"+
			"#   REQUESTS_CA_BUNDLE=%[1]s\n#   AWS_CA_BUNDLE=%[1]s\n", s.Target.CABundle)
	}
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc.root); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// document is a YAML mapping of sections in a chosen order.
type document struct{ root yaml.Node }

// section adds a section from pairs of key and value; empty values are left out, and an empty section too.
func (d *document) section(name string, pairs ...any) {
	body := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(pairs); i += 2 {
		var key, value yaml.Node
		switch v := pairs[i+1].(type) {
		case string:
			if v == "" {
				continue
			}
			value.SetString(v)
			value.Tag = "!!str"
		case bool:
			if !v {
				continue
			}
			_ = value.Encode(v)
		case float64:
			if v == 0 {
				continue
			}
			_ = value.Encode(v)
		case int64:
			if v == 0 {
				continue
			}
			_ = value.Encode(v)
		}
		key.SetString(fmt.Sprint(pairs[i]))
		body.Content = append(body.Content, &key, &value)
	}
	if len(body.Content) == 0 {
		return
	}
	var key yaml.Node
	key.SetString(name)
	d.root.Kind = yaml.MappingNode
	d.root.Content = append(d.root.Content, &key, body)
}
