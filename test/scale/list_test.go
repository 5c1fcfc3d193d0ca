package scale

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/proxy"
	"fn-runtime/test/schema"
)

type entry struct {
	Image, Action, State string
}

func (b *testbed) list() []entry {
	b.t.Helper()
	out := b.Run(2*time.Minute, b.Bin, "list", "--output", "json").Stdout
	(&schema.Check{}).Valid(b.t, "list", out)
	var all []entry
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		b.t.Fatal(err)
	}
	return all
}

// The number of requests depends on the number of pages, not on the number of runtimes.
func TestAThousandRuntimesAreListedPageByPage(t *testing.T) {
	b := newTestbed(t)
	b.copies(1000, false)
	all := b.list()
	for _, e := range all {
		if e.State != "ready" {
			t.Fatalf("got %+v, want ready", e)
		}
	}
	actions, keys := requests(b.api, "GET", "/actions/"), requests(b.s3, "GET", "list-type=2")
	total := requests(b.api, "", "") + requests(b.s3, "", "")
	// 1001 actions in pages of 200, of which up to 4 are requested at once; 1001 keys in pages of 1000.
	if len(all) != 1001 || actions < 6 || actions > 6+3 || total > 6+3+2+6 {
		t.Errorf("%d runtimes, %d pages of actions, %d of keys, %d requests in all", len(all), actions, keys, total)
	}
	t.Logf("%d requests: %d pages of actions, %d of keys", total, actions, keys)
}

// Action lists do not contain the image of runtimes that Lithops deployed itself. The command sends one request for
// each of them, and sends these requests concurrently.
func TestForeignRuntimesCostARequestEach(t *testing.T) {
	b := newTestbed(t)
	b.copies(200, true)
	g := &gauge{hold: 20 * time.Millisecond, gather: 8}
	b.api.Inject(func(r proxy.Request) proxy.Fault {
		if r.Method == http.MethodGet && strings.Contains(r.Path, "_256MB_") {
			return g.fault
		}
		return nil
	})
	all := b.list()
	if len(all) != 201 || g.count != 200 || g.maximum() < 8 {
		t.Errorf("%d runtimes, %d read one by one, at most %d at once", len(all), g.count, g.maximum())
	}
	names := map[string]bool{}
	for _, e := range all {
		names[e.Image] = true
	}
	if !names[image(0)] || !names[image(199)] || names[""] {
		t.Errorf("got %v, want %s to %s", names, image(0), image(199))
	}
}
