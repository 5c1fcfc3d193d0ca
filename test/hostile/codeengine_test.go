//go:build unix

package hostile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"fn-runtime/test/proxy"
)

// jobs returns faults by name: responses to every Code Engine request, or to every list request.
func jobs() map[string]proxy.Fault {
	e := quoted(evil)
	lists := func(item, next string) string {
		return fmt.Sprintf(`{"projects":[%[1]s],"jobs":[%[1]s],"job_runs":[%[1]s],"config_maps":[%[1]s],"secrets":[%[1]s],"limit":100%[2]s}`, item, next)
	}
	return map[string]proxy.Fault{
		"escapes everywhere": body(lists(`{"name":`+e+`,"id":`+e+`,"status":`+e+`,"image_reference":`+e+`,"scale_memory_limit":`+e+`,
			"run_env_variables":[{"name":"LITHOPS_RUNTIME_TYPE","value":"lithops-runtime"},{"name":"LITHOPS_VERSION","value":`+e+`},{"name":"FN_RUNTIME","value":`+e+`}]}`, "")),
		"escapes in an error": respondWith(400, `{"errors":[{"code":`+e+`,"message":`+e+`}],"trace":`+e+`,"status_code":400}`),
		"escapes in a 404":    respondWith(404, `{"errors":[{"code":`+e+`,"message":`+e+`}],"trace":`+e+`}`),
		"escapes in a job":    listed(`{"name":"lithops-worker-abcd-370-0123456789","image_reference":` + e + `,"run_env_variables":[{"name":"LITHOPS_RUNTIME_TYPE","value":"lithops-runtime"},{"name":"LITHOPS_VERSION","value":` + e + `}]}`),
		"names that lead elsewhere": listed(`{"name":"lithops-worker-abcd-370-0123456789/../../x","run_env_variables":[{"name":"LITHOPS_RUNTIME_TYPE","value":"lithops-runtime"}]},
			{"name":"fn-runtime-meta-../../x"},{"name":"lithops/../../x"},{"name":""}`),
		"the same page for ever": body(lists(`{"name":"a"}`, `,"next":{"start":"a","href":"https://elsewhere.example"}`)),
		"a new page for ever":    endlessJobPages(),
		"endless body":           endless,
		"bomb":                   bomb(),
		"odd: null":              body("null"),
		"odd: {}":                body("{}"),
		"odd: [null]":            body(`{"projects":null,"jobs":[null],"job_runs":{},"config_maps":"x","next":[]}`),
		"odd: types":             body(`{"id":1,"name":[],"status":{},"jobs":[{"name":1}],"status_details":[],"run_env_variables":{}}`),
		"odd: deep":              body(strings.Repeat(`{"jobs":`, 100_000)),
		"odd: no JSON":           body("<html>"),
	}
}

// listed responds to list requests with items, and forwards other requests.
func listed(items string) proxy.Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		kind := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if r.Method != http.MethodGet || kind != "jobs" && kind != "job_runs" && kind != "config_maps" {
			next.ServeHTTP(w, r)
			return
		}
		body(`{"`+kind+`":[`+items+`]}`)(w, r, next)
	}
}

// endlessJobPages returns a page of new items for every list request, indefinitely.
func endlessJobPages() proxy.Fault {
	var page atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		kind := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if r.Method != http.MethodGet || !strings.HasSuffix(kind, "s") {
			next.ServeHTTP(w, r)
			return
		}
		n := page.Add(1)
		items := make([]map[string]any, 100)
		for i := range items {
			items[i] = map[string]any{"name": fmt.Sprintf("lithops-worker-abcd-370-%010d", n*100+int64(i))}
		}
		data, _ := json.Marshal(map[string]any{kind: items, "next": map[string]string{"start": fmt.Sprint(n)}})
		body(string(data))(w, r, next)
	}
}
