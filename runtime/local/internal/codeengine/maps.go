package codeengine

import (
	"encoding/json"
	"net/http"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// maxConfigMap bounds the data of a config map or secret, in bytes, keys and values together.
const maxConfigMap = 1 << 20

var dataKey = text.NewPattern(`^[-._a-zA-Z0-9]+$`)

// data is the document of a config map or secret.
type data struct {
	Format string            `json:"format,omitempty"` // of secrets
	Data   map[string]string `json:"data"`
}

func (a *api) configMaps() *kind {
	return &kind{
		path: "config_maps", typ: "config_map_v2", limit: 100, status: http.StatusCreated, change: http.MethodPut, must: true,
		make:   func(c call) (string, any, error) { return readData(c, "config map") },
		remake: func(c call, _ json.RawMessage) (any, error) { return rereadData(c) },
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

// secrets are told without their values.
func (a *api) secrets() *kind {
	return &kind{
		path: "secrets", limit: 100, status: http.StatusCreated, change: http.MethodPut, must: true,
		make: func(c call) (string, any, error) {
			name, d, err := readData(c, "secret")
			if err == nil && secretTypes[d.Format] == "" {
				err = invalid("The format of the secret is not supported.")
			}
			return name, d, err
		},
		remake: func(c call, old json.RawMessage) (any, error) {
			d, err := rereadData(c)
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

func readData(c call, what string) (string, data, error) {
	var body struct {
		Name string `json:"name"`
		data
	}
	if err := decode(c, &body); err != nil {
		return "", data{}, err
	}
	if err := checkName(what, body.Name, subdomain, 253); err != nil {
		return "", data{}, err
	}
	return body.Name, body.data, body.check()
}

func rereadData(c call) (data, error) {
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
			return invalid("A key of the data is not valid: letters, digits and any of '-._'.")
		}
		size += len(k) + len(v)
	}
	if size > maxConfigMap {
		return invalid("The data has %d bytes, and %d are allowed.", size, maxConfigMap)
	}
	return nil
}
