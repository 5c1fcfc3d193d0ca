package local

import (
	"net/http"
	"strings"
)

// tlsServices serves the APIs of the TLS port. It selects the API by the path of a request.
type tlsServices struct{ e *endpoint }

func (a tlsServices) service(r *http.Request) service {
	switch serviceName(r) {
	case "openwhisk":
		return a.e.api
	case "endpoint":
		return admin{a.e}
	}
	return a.e.s3
}

func (a tlsServices) Admits(r *http.Request) bool { return a.service(r).Admits(r) }

func (a tlsServices) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.service(r).ServeHTTP(w, r) }

// serviceName returns the API that a request to the TLS port is for.
func serviceName(r *http.Request) string {
	_, _, basic := r.BasicAuth()
	switch {
	case r.URL.Path == "/" && r.Method == http.MethodGet && r.URL.RawQuery == "" && (r.Header.Get("Authorization") == "" || basic):
		return "openwhisk" // service information; S3 lists buckets at this path, but with a signature or token
	case r.URL.Path == "/api/v1", strings.HasPrefix(r.URL.Path, "/api/v1/"):
		return "openwhisk"
	case strings.HasPrefix(r.URL.Path, adminPrefix):
		return "endpoint"
	}
	return "s3"
}
