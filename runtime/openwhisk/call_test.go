package openwhisk

import (
	"context"
	"io"
	"net/http"
	"testing"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// If the first image pull exceeds a time limit of a gateway or of the platform, the metadata call is repeated without
// a blocking wait and polled until it is done.
func TestCallIsRetriedAfterPlatformTimeout(t *testing.T) {
	for name, first := range map[string]func(http.ResponseWriter){
		"a gateway's web page": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusGatewayTimeout)
			_, _ = io.WriteString(w, "<html>504 Gateway Time-out</html>")
		},
		"a gateway's status": func(w http.ResponseWriter) { w.WriteHeader(http.StatusGatewayTimeout) },
		"the platform's error": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"activationId":"a0","response":{"status":"whisk internal error","statusCode":3,"success":false,"result":{"error":"Failed to provision resources to run the action."}}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			polls := 0
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodGet && r.URL.Path == "/api/v1/namespaces/_/activations/a0":
					w.WriteHeader(http.StatusNotFound)
				case r.Method == http.MethodGet:
					if polls++; polls < 2 {
						w.WriteHeader(http.StatusNotFound)
						_, _ = io.WriteString(w, `{"error":"The requested resource does not exist."}`)
						return
					}
					_, _ = io.WriteString(w, `{"activationId":"a1","response":{"status":"success","success":true,"result":{"x":1}}}`)
				case r.URL.Query().Get("blocking") == "true":
					first(w)
				default:
					w.WriteHeader(http.StatusAccepted)
					_, _ = io.WriteString(w, `{"activationId":"a1"}`)
				}
			})
			c := NewCompute(client, ComputeOptions{Contract: lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.8.0"}})
			run, err := c.Call(t.Context(), entity.ID{Group: "p", Name: "a"})
			if err != nil || !run.Success || string(run.Result) != `{"x":1}` {
				t.Errorf("got %+v, %v; want the result of the second call", run, err)
			}
		})
	}
}

// A failed image pull is not retried.
func TestCallIsNotRetriedIfImageIsMissing(t *testing.T) {
	posts := 0
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
		}
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, `{"activationId":"a1","response":{"status":"whisk internal error","statusCode":3,"success":false,"result":{"error":"Failed to pull container image 'me/x'."}}}`)
	})
	c := NewCompute(client, ComputeOptions{Contract: lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.8.0"}})
	run, err := c.Call(t.Context(), entity.ID{Group: "p", Name: "a"})
	if err != nil || run.Success || posts != 1 {
		t.Errorf("got %+v, %v after %d calls; want a failed one after 1", run, err, posts)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := c.invoke(ctx, "p", "a", nil); fault.KindOf(err) != fault.Interrupted {
		t.Errorf("got %v", err)
	}
	for _, err := range c.Packages(ctx) {
		if fault.KindOf(err) != fault.Interrupted {
			t.Errorf("got %v", err)
		}
	}
}
