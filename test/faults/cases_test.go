package faults

import (
	"context"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"fn-runtime/runtime/local/cloud"
)

// story is one command in one situation.
type story struct {
	name    string
	backend string
	line    string
	before  []string                 // commands that create the situation
	prepare func(*testing.T, *stage) // preparations that no command can do
	// reads is true if the command changes nothing. Its output must then be correct or an error.
	reads bool
	// changed is true if the command uses another Lithops installation than the commands before it.
	changed bool
	// gone is true if the next run may report that there is nothing left to do.
	gone bool
	// orphans is true if the situation begins with metadata without an action.
	orphans bool
	// engine is true if the command builds with the real Docker Engine, into which faults are then injected as well.
	engine bool
}

// stage is one cloud with one client.
type stage struct{ *cloud.Client }

const two = "deploy me/img:1 -m 256,512"

func stories() []story {
	jobs := func(t *testing.T, s *stage) {
		for _, key := range []string{"lithops.jobs/a-0/000/status.json", "lithops.jobs/a-0/func.pickle", "lithops.jobs/b-1/x"} {
			put(t, s, key, "data")
		}
	}
	return []story{
		{name: "deploy, first", backend: "openwhisk", line: two},
		{name: "deploy, first, without namespace and bucket", backend: "ibm_cf", line: two + " --namespace fresh", prepare: func(t *testing.T, s *stage) {
			if err := s.Cloud.DB.DeleteBucket(cloud.Bucket); err != nil {
				t.Error(err)
			}
		}},
		{name: "deploy, nothing to do", backend: "openwhisk", line: two, before: []string{two}},
		{name: "deploy, other limits", backend: "openwhisk", line: "deploy me/img:1 -t 60", before: []string{"deploy me/img:1"}},
		{name: "deploy, other code", backend: "openwhisk", line: two, before: []string{two}, changed: true},
		{name: "deploy, pinned", backend: "openwhisk", line: "deploy {registry}/me/img:1 --pin", prepare: image},
		{name: "update, other code", backend: "ibm_cf", line: "update all", before: []string{two}, changed: true},
		{name: "update, forced", backend: "openwhisk", line: "update me/img:1 --force", before: []string{two}},
		{name: "delete, one", backend: "openwhisk", line: "delete me/img:1 -f", before: []string{two, "deploy me/other:1"}, gone: true},
		{name: "delete, all", backend: "ibm_cf", line: "delete all -f", before: []string{two, "deploy me/other:1"}, gone: true},
		{name: "apply, with pruning", backend: "openwhisk", line: "apply {home}/runtimes.yaml --prune -f", before: []string{two, "deploy me/other:1"}, prepare: func(t *testing.T, s *stage) {
			s.Write(t, "runtimes.yaml", "runtimes:\n  - image: me/img:1\n    memory: [256]\n    timeout: 60\n  - me/new:1\n")
		}},
		{name: "clean", backend: "openwhisk", line: "clean -f", before: []string{two}, prepare: jobs},
		{name: "clean, with the namespace", backend: "ibm_cf", line: "clean -f --all --namespace fresh", before: []string{two + " --namespace fresh"}, prepare: jobs},
		{name: "doctor, with repair", backend: "openwhisk", line: "doctor --repair", before: []string{two}, orphans: true, prepare: func(t *testing.T, s *stage) {
			put(t, s, "lithops.runtimes/openwhisk/3.7.0/guest/docker.io_me_gone_1_256MB_3.7.0.meta.json", `{}`)
			s.Write(t, ".lithops/cache/lithops.runtimes/openwhisk/3.7.0/guest/docker.io_me_img_1_256MB_3.7.0.meta.json", `{"stale": true}`)
		}},
		{name: "build, with push", backend: "openwhisk", line: "build {registry}/" + built + ":1 {home}/image --no-check", engine: true, prepare: writeContext},
		{name: "deploy to Code Engine, first, without project", backend: "code_engine", line: two + " --namespace fresh"},
		{name: "deploy to Code Engine, other code", backend: "code_engine", line: two, before: []string{two}, changed: true},
		{name: "deploy to Code Engine, from a private registry", backend: "code_engine", line: "deploy me/img:1", prepare: private},
		{name: "delete from Code Engine, one size", backend: "code_engine", line: "delete me/img:1 -m 512 -f", before: []string{two}, gone: true},
		{name: "clean Code Engine", backend: "code_engine", line: "clean -f", before: []string{two}, prepare: jobs},
		{name: "clean Code Engine, with the project", backend: "code_engine", line: "clean -f --all --namespace fresh", before: []string{"deploy me/img:1 --namespace fresh"}, prepare: jobs},
		{name: "list of Code Engine", backend: "code_engine", line: "list", before: []string{two}, reads: true},
		{name: "doctor", backend: "ibm_cf", line: "doctor", before: []string{two}, reads: true},
		{name: "list", backend: "openwhisk", line: "list", before: []string{two}, reads: true},
		{name: "list, with a key", backend: "ibm_cf", line: "list", before: []string{two}, reads: true},
		{name: "show", backend: "openwhisk", line: "show {registry}/me/img:1", prepare: image, before: []string{"deploy {registry}/me/img:1"}, reads: true},
		{name: "invoke", backend: "openwhisk", line: "invoke me/img:1 -n 2", before: []string{two}, reads: true},
	}
}

// private writes the client's credentials for its registry. The project already contains other ones.
func private(t *testing.T, s *stage) {
	for _, password := range []string{"old", "new"} {
		s.Write(t, ".lithops/config", strings.Replace(s.Cloud.ClientConfig("code_engine"), "code_engine: {", "code_engine: {docker_user: me, docker_password: "+password+", ", 1))
		if password == "old" {
			if a := s.Binary(t.Context(), t, "deploy me/other:1"); a.Status != 0 {
				t.Error(a)
			}
		}
	}
}

// image pushes a small image to the registry.
func image(t *testing.T, s *stage) {
	tag, err := name.NewTag(s.Cloud.Host(cloud.Registry) + "/me/img:1")
	if err == nil {
		img, makeErr := random.Image(64, 1, random.WithSource(rand.NewSource(1)))
		if err = makeErr; err == nil {
			if err = remote.Write(tag, img); err == nil { // also under the tag that --pin registers
				digest, _ := img.Digest()
				err = remote.Tag(tag.Context().Tag("sha-"+digest.Hex[:12]), img)
			}
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func allow(_, _ *cloud.Object) error { return nil }

func put(t *testing.T, s *stage, key, text string) {
	if _, err := s.Cloud.DB.Put(cloud.Bucket, cloud.Object{Key: key}, strings.NewReader(text), int64(len(text)), allow); err != nil {
		t.Error(err)
	}
}

// setUp creates the situation of a story. The caller must close the cloud.
func (st story) setUp(t *testing.T, lithops, other string) (*stage, error) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		return nil, err
	}
	c := cloud.Open(t, filepath.Join(dir, "state"), tokens)
	s := &stage{Client: c.NewClient(t, st.backend, lithops)}
	if st.backend != "openwhisk" {
		s.Login(t)
	}
	if st.engine {
		if err := s.connect(); err != nil {
			return nil, err
		}
	}
	if st.prepare != nil && st.reads { // an image must exist before it is deployed
		st.prepare(t, s)
	}
	for _, line := range st.before {
		if a := s.Binary(context.Background(), t, line); a.Status != 0 {
			return nil, &setUpError{a}
		}
	}
	if st.prepare != nil && !st.reads {
		st.prepare(t, s)
	}
	if st.changed {
		s.Lithops = other
	}
	for _, p := range c.Proxies {
		p.Reset()
	}
	return s, nil
}

type setUpError struct{ result cloud.Result }

func (u *setUpError) Error() string {
	return "the situation could not be created: " + u.result.String()
}
