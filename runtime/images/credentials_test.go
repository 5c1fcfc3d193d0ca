package images

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/distribution/reference"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// An engine on another machine without TLS receives no credentials, neither for a build nor for a push.
func TestExposedEngineGetsNoCredentials(t *testing.T) {
	home := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("me:SECRET"))
	write := func(name, text string) {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".docker/config.json", fmt.Sprintf(`{"auths":{"reg.example":{"auth":%q}}}`, auth))
	write("context/Dockerfile", "FROM reg.example/base\n")
	ref, err := reference.ParseNormalizedNamed("reg.example/me/x:1")
	if err != nil {
		t.Fatal(err)
	}
	for name, exposed := range map[string]bool{"exposed": true, "with TLS": false} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			got := ""
			e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				mu.Lock()
				defer mu.Unlock()
				for _, h := range []string{"X-Registry-Config", "X-Registry-Auth"} {
					data, _ := base64.URLEncoding.DecodeString(r.Header.Get(h))
					got += h + " " + string(data)
				}
				switch {
				case strings.HasSuffix(r.URL.Path, "/build"):
					_, _ = io.WriteString(w, `{"aux":{"ID":"sha256:1"}}`)
				case strings.HasSuffix(r.URL.Path, "/push"):
					_, _ = io.WriteString(w, pushSucceeded)
				}
			})
			e.Exposed = exposed
			var warnings []string
			b := New(Options{Home: home, Getenv: func(name string) string { return map[string]string{"DOCKER_BUILDKIT": "0"}[name] },
				Warn: func(m i18n.Message) { warnings = append(warnings, m.String()) }})
			f, err := openContext(filepath.Join(home, "context"), "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.build(t.Context(), e, ref, entity.ImageBuild{}, f, newPrinter(nil)); err != nil {
				t.Error(err)
			}
			_, err = b.build(t.Context(), e, ref, entity.ImageBuild{SSH: []entity.BuildSSH{{}}}, f, newPrinter(nil))
			if refused := fault.KindOf(err) == fault.Denied; refused != exposed {
				t.Errorf("a build with secrets: %v", err)
			}
			if a, err := b.account(t.Context(), e, "reg.example"); err != nil || (a.Password == "SECRET") == exposed {
				t.Errorf("BuildKit gets %+v, %v", a, err)
			}
			_, err = b.push(t.Context(), e, ref, newPrinter(nil))
			if kind := fault.KindOf(err); exposed && kind != fault.Denied || !exposed && err != nil {
				t.Errorf("the push: %v", err)
			}
			if strings.Contains(got, "SECRET") == exposed {
				t.Errorf("the engine got %q", got)
			}
			if (len(warnings) == 1) != exposed {
				t.Errorf("warnings: %q", warnings)
			}
		})
	}
}
