package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/test/harness"
)

// linked matches the modules that a binary lists, except those that the repository itself replaces.
var linked = regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)\t?\S*$\n(?:(\t=>)?)`)

// licenses checks that the licenses of all linked modules are in the release, and in the binary, which is the only file
// that the plug-in's repository and the formula distribute.
func (p published) licenses(t *testing.T) {
	notice := string(get(t, p.url+"/NOTICE"))
	if got := string(get(t, p.url+"/LICENSE")); !strings.Contains(got, "Apache License") {
		t.Errorf("LICENSE is %.80q", got)
	}
	binaries, err := filepath.Glob(filepath.Join(p.dir, "fn-runtime-*-*-*"))
	if err != nil || len(binaries) == 0 {
		t.Fatal(err, binaries)
	}
	for _, binary := range binaries {
		found := linked.FindAllStringSubmatch(output(t, "go", "version", "-m", binary), -1)
		if len(found) < 30 {
			t.Errorf("%s names only %d modules", binary, len(found))
		}
		for _, m := range found {
			if m[3] == "" && !strings.Contains(notice, "\n"+m[1]+" "+m[2]+" ") {
				t.Errorf("%s has %s %s in it, which NOTICE does not name ('make notices' writes it)", filepath.Base(binary), m[1], m[2])
			}
		}
	}
	for _, text := range []string{"Redistributions in binary form must reproduce", "Permission is hereby granted, free of charge", "Mozilla Public License", "Copyright 2009 The Go Authors"} {
		if !strings.Contains(notice, text) {
			t.Errorf("NOTICE lacks %q", text)
		}
	}
	native := filepath.Join(t.TempDir(), "fn-runtime")
	for _, b := range binaries {
		data, err := os.ReadFile(b)
		if err != nil {
			t.Fatal(err)
		}
		put(t, native, data)
		if exec.Command(native, "version").Run() != nil {
			continue // of another platform
		}
		if d := cmp.Diff(notice, output(t, native, "version", "--licenses")); d != "" {
			t.Errorf("'version --licenses' is not NOTICE:\n%s", d)
		}
		return
	}
	t.Error("no binary is for this machine")
}

// TestNoticesAreFresh regenerates plugin/NOTICE and compares it.
func TestNoticesAreFresh(t *testing.T) {
	file := filepath.Join(t.TempDir(), "NOTICE")
	cmd := exec.Command("go", "run", "./bin/notices", file)
	cmd.Dir = harness.Root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(harness.Root(t), "plugin", "NOTICE"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("plugin/NOTICE is stale ('make notices' writes it): want -, got +\n%s", d)
	}
}
