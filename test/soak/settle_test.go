//go:build linux

package soak

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// settle waits until all accepted work has ended, and checks that everything acknowledged exists.
func (w *work) settle() {
	w.t.Helper()
	for id, n := range w.activations {
		if why := w.find(id, n); why != "" {
			w.count.lost++
			w.t.Errorf("activation %s: %s", id, why)
		}
	}
	for key, text := range w.objects {
		w.read(key, text)
		w.count.kept += int64(len(text))
	}
}

// find waits for the record of an activation. It returns "" if the record is correct.
func (w *work) find(id, n string) string {
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		status, body := w.e.Do("GET", w.e.API("/activations/"+id), "")
		if status == http.StatusNotFound && time.Now().Before(end) {
			continue
		}
		var doc struct {
			Response struct {
				Success bool
				Result  struct{ N json.Number }
			}
		}
		if status != http.StatusOK || json.Unmarshal(body, &doc) != nil || !doc.Response.Success || doc.Response.Result.N.String() != n {
			return string(body)
		}
		return ""
	}
}

// clear deletes everything and checks that nothing remains.
func (w *work) clear() {
	w.t.Helper()
	for key := range w.objects {
		w.remove(key)
	}
	if status, body := w.e.Do("DELETE", w.e.API("/actions/work"), ""); status != http.StatusOK {
		w.t.Errorf("DELETE of the action: status %d, %s", status, body)
	}
	w.s.FnRuntime("clean", "-b", "local", "-f")
	if _, body := w.e.Do("GET", w.e.API("/actions"), ""); strings.TrimSpace(string(body)) != "[]" {
		w.t.Errorf("actions are left: %s", body)
	}
	if _, body := w.e.Do("GET", "/"+w.e.Bucket+"?list-type=2", ""); strings.Contains(string(body), "<Key>") {
		w.t.Errorf("objects are left: %s", body)
	}
}

func (w *work) done() counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}
