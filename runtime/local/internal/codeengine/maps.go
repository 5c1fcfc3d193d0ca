package codeengine

import (
	"encoding/json"
	"net/http"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// maxConfigMap is the maximum size of the data of a config map or secret in bytes, including keys.
const maxConfigMap = 1 << 20

var dataKey = text.NewPattern(`^[-._a-zA-Z0-9]+$`)

// data is the document of a config map or secret.
type data struct {
	Format string            `json:"format,omitempty"` // only for secrets
	Data   map[string]string `json:"data"`
}

func (a *api) configMaps() *kind {
	return &kind{
		path: "config_maps", resourceType: "config_map_v2", limit: 100, status: http.StatusCreated, updateMethod: http.MethodPut, requireIfMatch: true,
		newDoc:    func(c call) (string, any, error) { return parseNewData(c, "config map") },
		updateDoc: func(c call, _ json.RawMessage) (any, error) { return parseData(c) },
		show: func(_ call, r state.Resource) (map[string]any, error) {
			var d data
			err := json.Unmarshal(r.Doc, &d)
			return map[string]any{"data": d.Data}, err
		},
	}
}

var secretTypes = map[string]string{
	"generic": "secret_generic_v2", "basic_auth": "secret_basic_auth_v2", "registry": "secret_registry_v2", "ssh_auth": "secret_auth_ssh_v2", "tls": "secret_tls_v2",
}

// secrets returns the resource kind of secrets. Responses do not contain their values.
func (a *api) secrets() *kind {
	return &kind{
		path: "secrets", limit: 100, status: http.StatusCreated, updateMethod: http.MethodPut, requireIfMatch: true,
		newDoc: func(c call) (string, any, error) {
			name, d, err := parseNewData(c, "secret")
			if err == nil && secretTypes[d.Format] == "" {
				err = invalid("The format of the secret is not supported.")
			}
			return name, d, err
		},
		updateDoc: func(c call, old json.RawMessage) (any, error) {
			d, err := parseData(c)
			var before data
			if err == nil {
				err = json.Unmarshal(old, &before)
			}
			if err == nil && d.Format != before.Format {
				err = invalid("The format of a secret cannot be changed.")
			}
			return d, err
		},
		show: func(_ call, r state.Resource) (map[string]any, error) {
			var d data
			err := json.Unmarshal(r.Doc, &d)
			return map[string]any{"format": d.Format, "resource_type": secretTypes[d.Format]}, err
		},
	}
}

func parseNewData(c call, kind string) (string, data, error) {
	var body struct {
		Name string `json:"name"`
		data
	}
	if err := decode(c, &body); err != nil {
		return "", data{}, err
	}
	if err := checkName(kind, body.Name, subdomain, 253); err != nil {
		return "", data{}, err
	}
	return body.Name, body.data, body.check()
}

func parseData(c call) (data, error) {
	var d data
	if err := decode(c, &d); err != nil {
		return d, err
	}
	return d, d.check()
}

func (d data) check() error {
	size := 0
	for k, v := range d.Data {
		if len(k) > 253 || !dataKey.MatchString(k) {
			return invalid("A key of the data is not valid: use letters, digits and the characters '-._'.")
		}
		size += len(k) + len(v)
	}
	if size > maxConfigMap {
		return invalid("The data has %d bytes, the maximum is %d.", size, maxConfigMap)
	}
	return nil
}
