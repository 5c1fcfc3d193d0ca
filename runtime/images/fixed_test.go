package images

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/fault"
)

// pushFixed tags the image with its digest and pushes that tag. If the engine cannot create the tag, nothing is pushed.
func TestPushFixed(t *testing.T) {
	ref, err := reference.ParseNormalizedNamed("127.0.0.1:1/me/x:1")
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:0123456789abcdef" + strings.Repeat("0", 48)
	tag, push := "POST /images/127.0.0.1:1/me/x:1/tag repo=127.0.0.1%3A1%2Fme%2Fx&tag=sha-0123456789ab", "POST /images/127.0.0.1:1/me/x/push tag=sha-0123456789ab"
	for name, c := range map[string]struct {
		status int
		want   []string
		kind   fault.Kind
	}{
		"success":         {http.StatusCreated, []string{tag, push}, ""},
		"image not found": {http.StatusNotFound, []string{tag}, fault.Failed},
	} {
		var got []string
		e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				return
			}
			_, path, _ := strings.Cut(r.URL.Path, "/v1.")
			_, path, _ = strings.Cut(path, "/")
			got = append(got, r.Method+" /"+path+" "+r.URL.Query().Encode())
			if strings.HasSuffix(path, "/tag") {
				w.WriteHeader(c.status)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, pushSucceeded)
		})
		err := New(Options{}).pushFixed(t.Context(), e, ref, digest, newPrinter(nil))
		if diff := cmp.Diff(c.want, slices.Compact(got)); diff != "" || fault.KindOf(err) != c.kind {
			t.Errorf("%s: got %v, want %q; requests (-want +got):\n%s", name, err, c.kind, diff)
		}
	}
}
