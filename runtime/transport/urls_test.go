package transport

import "testing"

func TestShownURLHoldsNoPassword(t *testing.T) {
	for address, want := range map[string]string{
		"https://host.example":             "https://host.example",
		"https://host.example:8443/api/v1": "https://host.example:8443/api/v1",
		"http://u:SECRET@host":             "http://host",
		"http://u:SEC/RET@host/path":       "http://host/path",
		"http://u:SEC@RET@host":            "http://host",
		"http://SECRET@[::1]:80/":          "http://[::1]:80/",
		"https://host/?apikey=SECRET":      "https://host/",
		"https://host?x=SECRET#SECRET":     "https://host",

		"https://u:SEC#RET@host":         "https://host",
		"https://host/?mail=a@SECRET":    "https://host/",
		"tcp://u:SECRET@10.0.0.1:2375":   "tcp://10.0.0.1:2375",
		"u:SECRET@host:1":                "host:1",
		"://u:SECRET@host":               "://host",
		"http://u:%zz SECRET@host":       "http://host",
		"unix:///var/run/docker.sock":    "unix:///var/run/docker.sock",
		"npipe:////./pipe/docker_engine": "npipe:////./pipe/docker_engine",
		"10.0.0.1:2375":                  "10.0.0.1:2375",
		"":                               "",
	} {
		if got := ShownURL(address); got != want {
			t.Errorf("%q is shown as %q, want %q", address, got, want)
		}
	}
}
