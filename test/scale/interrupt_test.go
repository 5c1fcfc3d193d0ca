package scale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/test/proxy"
	"fn-runtime/test/schema"
)

// After Ctrl-C during a deployment of several memory sizes, running work ends, the remaining sizes are not tried, the
// report is correct, and the next run completes the deployment.
func TestInterruptedDeployIsFinishedByTheNextRun(t *testing.T) {
	const sizes = "256,320,384,448,512,576,640,704"
	file := func(b *testbed) string {
		path := filepath.Join(b.Dir, "runtimes.yaml")
		text := fmt.Sprintf("runtimes:\n- image: %sme/new:1\n  memory: [%s]\n", registry, sizes)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct {
		schema string
		args   func(b *testbed) []string
	}{
		{"deploy", func(*testbed) []string { return []string{"deploy", registry + "me/new:1", "-m", sizes} }},
		{"apply-result", func(b *testbed) []string { return []string{"apply", file(b)} }},
	} {
		t.Run(tc.schema, func(t *testing.T) {
			b := newTestbed(t)
			reached := make(chan struct{})
			puts := 0
			var mu sync.Mutex
			b.api.Inject(func(r proxy.Request) proxy.Fault {
				if r.Method == http.MethodPut && strings.Contains(r.Path, "/actions/") {
					mu.Lock()
					defer mu.Unlock()
					if puts++; puts == 3 {
						close(reached)
					}
				}
				return nil
			})
			args := tc.args(b)
			var out bytes.Buffer
			cmd := b.start(&out, append(args, "-j", "2", "--output", "json")...)
			<-reached
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait()
			(&schema.Check{}).Valid(t, tc.schema, out.String())
			var r result
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			b.reset()
			there, done, skipped := b.actions(), 0, 0
			for _, it := range r.Items {
				if it.Kind != "action" {
					continue
				}
				_, name, _ := strings.Cut(it.Name, "/")
				switch {
				case it.Status == "done" && there[name]:
					done++
				case it.Status == "skipped" && !there[name]:
					skipped++
				default:
					t.Errorf("%s is reported as %s, but exists: %v", it.Name, it.Status, there[name])
				}
			}
			if code := cmd.ProcessState.ExitCode(); code != 130 || r.Error.Code != "interrupted" || done+skipped != 8 || done < 2 || skipped < 4 {
				t.Errorf("exit %d, %d done, %d not tried, %+v", code, done, skipped, r.Error)
			}
			b.orphans()
			b.Run(3*time.Minute, b.Bin, append(args, "-q")...)
			for _, e := range b.list() {
				if e.State != "ready" {
					t.Errorf("got %+v, want ready", e)
				}
			}
			if n := len(b.actions()); n != 9 {
				t.Errorf("%d actions are there", n)
			}
		})
	}
}
