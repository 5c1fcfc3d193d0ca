package contract

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// compareProject compares the project and the features specific to Code Engine, and returns the namespace of metadata.
func compareProject(t *testing.T, in lithops.Install, c testCase, compute lithops.Compute, key string, a response, i int) string {
	t.Helper()
	theirs := a.Compute[i]
	name := compute.Project
	if name == "" {
		name = lithops.DefaultNamespace(in.Version, compute.Region, key)
	}
	if name != theirs.Package {
		t.Errorf("project %q, Lithops: %q\n%s", name, theirs.Package, c.YAML)
	}
	if want := int(math.Round(theirs.CPU * 1000)); compute.RuntimeMilliCPU != want {
		t.Errorf("%d thousandths of a processor, Lithops: %d\n%s", compute.RuntimeMilliCPU, want, c.YAML)
	}
	in.Python = theirs.Python
	if got := lithops.ClientDefaultImage(compute, in); got != theirs.Default {
		t.Errorf("default image %q, Lithops: %q\n%s", got, theirs.Default, c.YAML)
	}
	for _, n := range theirs.Names {
		if k, _, ok := lithops.ParseJob(n[0]); !ok || k != key {
			t.Errorf("ParseJob(%q) = %q, %v", n[0], k, ok)
		}
		ref, ok := lithops.ParseMetadataKey(n[1])
		if !ok || ref.Version != in.Version || ref.Namespace != theirs.Namespace || ref.Region != theirs.Region || ref.UserKey != key {
			t.Errorf("ParseMetadataKey(%q) = %+v, %v", n[1], ref, ok)
		}
	}
	cache := lithops.Cache{Dir: t.TempDir()}
	if c.Cached != "" {
		file := filepath.Join(cache.Dir, string(lithops.CodeEngine), name+"_data")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(c.Cached), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cached, err := cache.ReadProject(name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	return lithops.ProjectNamespace(compute, cached, projectID)
}

// compareScales compares which combinations of CPU and memory the client accepts.
func compareScales(t *testing.T, a response) {
	t.Helper()
	if len(a.Scales) == 0 {
		return
	}
	for _, cpu := range []int{125, 250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 10000, 12000} {
		for _, memory := range []int{256, 512, 1024, 2048, 4096, 8192, 12288, 16384, 20480, 24576, 32768, 40960, 49152} {
			theirs := slices.Contains(a.Scales, [2]int{cpu, memory})
			if ours := (lithops.JobSize{MilliCPU: cpu, MemoryMB: memory}).RejectedByClient(); ours != theirs {
				t.Errorf("%d thousandths with %d MB: Lithops refuses %v, ours %v", cpu, memory, theirs, ours)
			}
		}
	}
}

// compareImageArchive compares the archive for a Dockerfile.
func compareImageArchive(t *testing.T, in lithops.Install, theirs map[string]string) {
	t.Helper()
	data, err := lithops.BuildImageArchive(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]string{}
	for name, text := range fromZip(t, data) {
		ours[name] = fmt.Sprintf("%x", sha256.Sum256(text))
	}
	if d := cmp.Diff(theirs, ours); d != "" {
		t.Errorf("archive for images: Lithops -, ours +\n%s", d)
	}
}

// fromTar returns the files of a tar.xz in archive order. It fails the test if the archive does not fit into a config
// map.
func fromTar(t *testing.T, data []byte) iter.Seq2[string, []byte] {
	t.Helper()
	if size := (len(data) + 2) / 3 * 4; size >= 1<<20 {
		t.Errorf("%d bytes in base64", size)
	}
	plain, err := xz.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(plain)
	return func(yield func(string, []byte) bool) {
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(header.Name, text) {
				return
			}
		}
	}
}
