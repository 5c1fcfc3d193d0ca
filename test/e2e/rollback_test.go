package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRollback rolls back a new image, and then rolls back the rollback. Each time a job reports which image runs. A
// rollback to an image that has been deleted from the registry fails, and the deployed image keeps running.
func TestRollback(t *testing.T) {
	t.Parallel() // spends most of its time waiting for builds
	b := newContainerStage(t)
	image := b.image("back:1")
	b.FnRuntime("init", "back", "--python", "3.11")
	version := func(number string) built {
		t.Helper()
		path := filepath.Join(b.Dir, "back", "Dockerfile")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(text)+"ENV VERSION="+number+"\n")
		out := b.build(image, "back", "--pin", "--build-arg", "BASE="+b.engine.Base)
		t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", immutableTag(image, out.Digest)).Run() })
		return out
	}
	at := func(digest string) {
		t.Helper()
		var shown []struct{ Digest string }
		decode(t, b.FnRuntime("show", image, "--output", "json").Stdout, &shown)
		if len(shown) != 1 || shown[0].Digest != digest {
			t.Errorf("show says %+v, want %s", shown, digest)
		}
	}
	runs := func(number, digest string) {
		t.Helper()
		at(digest)
		var got string
		decode(t, result(t, b.Run(5*time.Minute, b.python, script(t, "version.py"), image)), &got)
		if got != number {
			t.Errorf("the job ran in version %s, want %s", got, number)
		}
	}
	first := version("1")
	b.FnRuntime("deploy", image)
	runs("1", first.Digest)
	second := version("2")
	b.FnRuntime("deploy", image)
	runs("2", second.Digest)
	b.FnRuntime("rollback", image)
	runs("1", first.Digest)
	b.FnRuntime("rollback", image)
	runs("2", second.Digest)

	b.deleteImage(image, first.Digest)
	r := b.Try(time.Minute, b.Bin, "rollback", image, "--output", "json")
	var doc struct {
		Error struct{ Code, Message, Recovery string }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil {
		t.Fatalf("%v: %s", err, r.Stdout)
	}
	if e := doc.Error; r.Code != 1 || e.Code != "not_found" || !strings.Contains(e.Message, immutableTag(image, first.Digest)) || !strings.Contains(e.Recovery, "deploy IMAGE") {
		t.Errorf("without the image in the registry: status %d, %+v", r.Code, e)
	}
	at(second.Digest)
}

// immutableTag returns the immutable tag of an image.
func immutableTag(image, digest string) string {
	return strings.TrimSuffix(image, ":1") + ":sha-" + strings.TrimPrefix(digest, "sha256:")[:12]
}

// deleteImage deletes an image with all its tags from the registry.
func (b *containerStage) deleteImage(image, digest string) {
	b.t.Helper()
	name := strings.TrimSuffix(strings.TrimPrefix(image, b.engine.Registry+"/"), ":1")
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodDelete, "http://"+b.engine.Registry+"/v2/"+name+"/manifests/"+digest, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.SetBasicAuth(b.engine.User, b.engine.Password)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		b.t.Fatalf("the registry answers %s", answer.Status)
	}
}
