package rest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/apache/openwhisk-client-go/whisk"
)

func TestOpenWhiskClient(t *testing.T) {
	f := serve(t)
	client, err := whisk.NewClient(http.DefaultClient, &whisk.Config{
		Namespace: "_", AuthToken: testKey, Host: strings.TrimPrefix(f.URL, "http://"), BaseURL: must(parse(f.URL + "/api/")), Version: "v1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Packages.Insert(&whisk.Package{Name: "p", Namespace: "_"}, false); err != nil {
		t.Fatal(err)
	}
	code, yes, memory := "UEsDBA==", true, 128
	action := &whisk.Action{Name: "p/a", Namespace: "_", Exec: &whisk.Exec{Kind: "blackbox", Image: "i", Code: &code, Binary: &yes}, Limits: &whisk.Limits{Memory: &memory}}
	if _, _, err := client.Actions.Insert(action, true); err != nil {
		t.Fatal(err)
	}
	got, _, err := client.Actions.Get("p/a", true)
	if err != nil || *got.Exec.Code != code || got.Exec.Image != "i" || *got.Limits.Memory != 128 {
		t.Fatal(got, err)
	}
	list, _, err := client.Actions.List("p", &whisk.ActionListOptions{Limit: 200})
	if err != nil || len(list) != 1 || list[0].Namespace != "guest/p" {
		t.Fatal(list, err)
	}
	result, _, err := client.Actions.Invoke("p/a", map[string]any{"x": 1}, true, false)
	if err != nil {
		t.Fatal(err)
	}
	answered, _ := result.(map[string]any)
	id, _ := answered["activationId"].(string)
	a, _, err := client.Activations.Get(id)
	if err != nil || a.Status != "success" || a.Annotations.GetValue("path") != "guest/p/a" {
		t.Fatalf("%+v %v", a, err)
	}
	acts, _, err := client.Activations.List(&whisk.ActivationListOptions{Limit: 10})
	if err != nil || len(acts) != 1 {
		t.Fatal(acts, err)
	}
	if _, err := client.Actions.Delete("p/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Packages.Delete("p"); err != nil {
		t.Fatal(err)
	}
}

// The endpoint accepts all kinds that it lists. wskdeploy replaces other kinds with the default kind.
func TestListedKindsAreAccepted(t *testing.T) {
	f := serve(t)
	f.deployActions()
	resp, err := http.Get(f.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var platform struct {
		Runtimes struct {
			Python []struct {
				Kind    string
				Default bool
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&platform); err != nil {
		t.Fatal(err)
	}
	kinds, defaults := map[string]bool{}, 0
	for _, p := range platform.Runtimes.Python {
		kinds[p.Kind] = true
		if p.Default {
			defaults++
		}
		body := `{"exec":{"kind":"` + p.Kind + `","code":"def main(args): return {}"}}`
		if status, response, _ := f.do("basic", "PUT", "/namespaces/_/actions/p/a?overwrite=true", body); status != 200 || !strings.Contains(response, `"kind":"`+p.Kind+`"`) {
			t.Errorf("%s is listed but not accepted: got %d %s", p.Kind, status, response)
		}
	}
	if !kinds["python:3"] || !kinds["python:3.11"] || defaults != 1 {
		t.Errorf("listed are %v with %d defaults, want python:3, python:3.11 and one default", kinds, defaults)
	}
}

func TestAbsoluteFormRequestTarget(t *testing.T) {
	f := serve(t)
	f.deployActions("a")
	// A request through a "proxy" that is the server itself has an absolute-form target. Lithops sends such requests.
	client := &http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (u *urlT, err error) { return parse(f.URL) }}}
	req, _ := http.NewRequest("POST", "http://127.0.0.1:1/api/v1/namespaces/guest/actions/p/a?blocking=true&result=true", bytes.NewReader([]byte(`{"v":1}`)))
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != `{"v":1}` {
		t.Fatal(resp.Status, string(body))
	}
}
