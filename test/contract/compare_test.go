package contract

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/lithops"
)

func compareDefaults(t *testing.T, version string, a response) {
	t.Helper()
	for _, b := range []lithops.Backend{lithops.IBMCF, lithops.OpenWhisk} {
		for minor := 4; minor <= 20; minor++ {
			py := fmt.Sprintf("3.%d", minor)
			ours, err := lithops.DefaultImage(b, version, py)
			if theirs := a.Defaults[string(b)][py]; ours != theirs || (err == nil) != (theirs != "") {
				t.Errorf("DefaultImage(%s, %s, %s) = %q, %v; Lithops: %q", b, version, py, ours, err, theirs)
			}
		}
	}
}

// compareArchives compares names and contents with the archive that Lithops creates, and checks our digest.
func compareArchives(t *testing.T, in lithops.Install, a response) {
	t.Helper()
	for b, theirs := range a.Archives {
		bundle, err := lithops.BuildBundle(context.Background(), in, lithops.Backend(b))
		if err != nil {
			t.Fatal(err)
		}
		data, err := base64.StdEncoding.DecodeString(bundle.Base64)
		if err != nil {
			t.Fatal(err)
		}
		unpack := fromZip
		if b == string(lithops.CodeEngine) {
			unpack = fromTar
			compareImageArchive(t, in, theirs)
		}
		ours, list := map[string]string{}, sha256.New()
		for name, text := range unpack(t, data) {
			ours[name] = fmt.Sprintf("%x", sha256.Sum256(text))
			fmt.Fprintf(list, "%s  %s\n", ours[name], name)
		}
		if d := cmp.Diff(theirs, ours); d != "" {
			t.Errorf("archive of %s: Lithops -, ours +\n%s", b, d)
		}
		if got := fmt.Sprintf("%x", list.Sum(nil)); got != bundle.SHA256 || bundle.Files != len(ours) || bundle.Size != int64(len(data)) {
			t.Errorf("bundle reports %s, %d files, %d bytes; it contains %s, %d, %d", bundle.SHA256, bundle.Files, bundle.Size, got, len(ours), len(data))
		}
	}
}

// fromZip returns the files of an archive in archive order.
func fromZip(t *testing.T, data []byte) iter.Seq2[string, []byte] {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(string, []byte) bool) {
		for _, f := range archive.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(f.Name, text) {
				return
			}
		}
	}
}

var searches = [][]string{{}, {"work"}, {"home"}, {"old"}, {"env"}, {"work", "home"}, {"home", "old"}, {"env", "work", "home", "old"}}

// compareFiles compares which configuration file is loaded if several exist.
func compareFiles(t *testing.T, version string, a response, q request) {
	t.Helper()
	for i, search := range q.Searches {
		home, work := t.TempDir(), t.TempDir()
		places := map[string]string{"work": filepath.Join(work, ".lithops_config"), "home": filepath.Join(home, ".lithops", "config"),
			"old": filepath.Join(home, ".lithops_config"), "env": filepath.Join(work, "named")}
		env := map[string]string{}
		for _, name := range search {
			if err := os.MkdirAll(filepath.Dir(places[name]), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(places[name], []byte("lithops: {backend: ibm_cf}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if name == "env" {
				env["LITHOPS_CONFIG_FILE"] = places[name]
			}
		}
		c, err := lithops.Load(lithops.LoadOptions{Getenv: func(n string) string { return env[n] }, Home: home, WorkDir: work, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		if want := places[a.Files[i]]; c.Source() != want && !(want == "" && c.Source() == "/etc/lithops/config") {
			t.Errorf("with %v we load %q, Lithops %q", search, c.Source(), want)
		}
	}
}

var scalars = []string{"256", "'256'", `"256"`, "0x1F", "017", "0o17", "1_000", "1e5", "1.5", "yes", "No", "on", "y", "true", "~", "null", "''",
	"190:20:30", "2001-12-14", "-5", "+7", "08", "1.0e+3", ".inf", "abc", "a: b", "!!str 12", "!!int '12'", "0b101", "12:30", "=", "eu-de", "1 2", "<<", "'x' # y"}

// compareScalars compares the type of a value: text, number, or neither.
func compareScalars(t *testing.T, a response) {
	t.Helper()
	for i, s := range scalars {
		file := filepath.Join(t.TempDir(), "config")
		text := "openwhisk:\n  %s: " + s + "\n"
		load := func(key string) (lithops.Compute, error) {
			if err := os.WriteFile(file, fmt.Appendf(nil, text, key), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := lithops.Load(lithops.LoadOptions{File: file})
			if err != nil {
				return lithops.Compute{}, err
			}
			return c.Compute(lithops.OpenWhisk, lithops.Install{})
		}
		kind, value := a.Scalars[i][0].(string), a.Scalars[i][1]
		asText, textErr := load("endpoint")
		asNumber, numberErr := load("runtime_memory")
		switch {
		case kind == "str" && (textErr != nil || asText.Endpoint != value):
			t.Errorf("%s is the text %q, we say %q, %v", s, value, asText.Endpoint, textErr)
		case kind != "str" && kind != "NoneType" && textErr == nil:
			t.Errorf("%s is a %s, we take it for the text %q", s, kind, asText.Endpoint)
		case kind == "int" && !strings.Contains(s, ":") && (numberErr != nil || float64(asNumber.RuntimeMemory) != value):
			t.Errorf("%s is the number %v, we say %d, %v", s, value, asNumber.RuntimeMemory, numberErr)
		case kind != "int" && kind != "NoneType" && numberErr == nil:
			t.Errorf("%s is a %s, we take it for the number %d", s, kind, asNumber.RuntimeMemory)
		}
	}
}

// compareRejection compares whether a configuration works. We reject, or warn of, everything that the client's loader
// rejects. We also reject configurations that the client accepts but its services cannot use. If we report that the
// client rejects a configuration, the client must reject it.
func compareRejection(t *testing.T, in lithops.Install, c testCase, theirs string) {
	t.Helper()
	if ours, warning := rejectionOf(t, in, c); theirs != "" && ours == "" || theirs == "" && warning {
		t.Errorf("Lithops says %q, we say %q of\n%s", theirs, ours, c.YAML)
	}
}

// rejectionOf returns our error or warning for a configuration, and reports whether it is a warning about the client.
func rejectionOf(t *testing.T, in lithops.Install, c testCase) (what string, warning bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(c.YAML), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := lithops.Load(lithops.LoadOptions{File: file, Version: in.Version})
	if err != nil {
		return err.Error(), false
	}
	backend, err := config.Backend()
	if err != nil {
		return err.Error(), false
	}
	if backend != "ibm_cf" && backend != "openwhisk" && backend != "code_engine" {
		return "another backend", false
	}
	compute, err := config.Compute(lithops.Backend(backend), in)
	if err == nil {
		err = compute.Validate(in.Version)
	}
	if err != nil {
		return err.Error(), false
	}
	storage, err := config.Storage(compute, in)
	if err == nil {
		err = storage.Validate()
	}
	if err != nil {
		return err.Error(), false
	}
	refusal := config.Rejection(compute.Backend, in)
	return refusal.String(), !refusal.IsZero()
}
