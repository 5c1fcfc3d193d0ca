package images_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/images"
	"fn-runtime/test/harness"
)

// TestSuperseded builds an image twice. The first image counts as superseded, with or without an immutable tag, until a
// container uses it or it gets another tag. Deleting it keeps the newer image.
func TestSuperseded(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		harness.NoContainers(t)
		b, name := builder(t, images.Options{Getenv: getenv}), image(t)
		version := func(text string, pin bool) entity.ImageBuilt {
			dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN echo " + t.Name() + text + " >/made\n"})
			built, out, err := build(t, b, entity.ImageBuild{Image: name, Context: dir, Push: true, Pin: pin})
			if err != nil {
				t.Fatalf("%v\n%s", detail(err), out)
			}
			t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", built.ID).Run() })
			return built
		}
		expect := func(when string, ids ...string) (found []entity.SupersededImage) {
			t.Helper()
			all, err := b.Superseded(t.Context())
			if err != nil {
				t.Fatal(detail(err))
			}
			var got []string
			for _, one := range all {
				if one.Image == name { // others belong to tests that run in parallel
					found, got = append(found, one), append(got, one.ID)
				}
			}
			slices.Sort(ids)
			slices.Sort(got)
			if !slices.Equal(got, ids) {
				t.Errorf("%s: superseded are %q, want %q", when, got, ids)
			}
			return found
		}
		first := version("1", true)
		expect("after the first build")
		second := version("2", false)
		found := expect("after the second build", first.ID)
		if fixed := entity.FixedTag(name, first.Digest); len(found) != 1 || !slices.Equal(found[0].Tags, []string{fixed}) || !slices.Contains(found[0].Digests, first.Digest) {
			t.Errorf("found %+v, want the tag %s and the digest %s", found, fixed, first.Digest)
		}
		own := strings.TrimSuffix(name, ":1") + ":mine"
		docker(t, "image", "tag", first.ID, own)
		expect("with a name of the user's")
		docker(t, "image", "rm", own)
		output := docker(t, "build", "-q", contextDir(t, map[string]string{"Dockerfile": "FROM " + name + "\nRUN echo heir >/heir\n"}))
		newImage := output[strings.LastIndexByte(output, '\n')+1:] // after a warning
		t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", newImage).Run() })
		expect("with an image without a name that was made from one", first.ID)
		docker(t, "image", "rm", newImage)
		made := docker(t, "container", "create", first.ID)
		expect("with a container")
		docker(t, "container", "rm", made)

		third := version("3", false)
		for _, old := range expect("after the third build", first.ID, second.ID) {
			for range 2 { // a missing image is not an error
				if err := b.Remove(t.Context(), old); err != nil {
					t.Error(detail(err))
				}
			}
		}
		expect("afterwards")
		for id, there := range map[string]bool{first.ID: false, second.ID: false, third.ID: true} {
			if err := exec.Command("docker", "image", "inspect", id).Run(); (err == nil) != there {
				t.Errorf("image %s: %v, want it there: %v", id, err, there)
			}
		}
	})
}

// docker runs the Docker CLI and returns its output.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
