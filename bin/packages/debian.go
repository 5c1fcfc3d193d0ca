package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"fn-runtime/commands"
	"fn-runtime/commands/view"
	"fn-runtime/plugin"
)

// content is a file of a package, in the format of nfpm's configuration.
type content struct {
	Src      string            `yaml:"src"`
	Dst      string            `yaml:"dst"`
	FileInfo map[string]uint32 `yaml:"file_info"`
}

// writeDebian writes DIR/fn-runtime_VERSION_ARCH.deb for each Linux binary, with manual pages, completion, copyright
// and changelog.
func (r release) writeDebian(dir string) error {
	stage, err := os.MkdirTemp("", "fn-runtime-deb")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	shared, err := r.writeCommonFiles(stage)
	if err != nil {
		return err
	}
	for _, b := range r.Binaries {
		if b.OS != "linux" {
			continue
		}
		path, err := filepath.EvalSymlinks(b.path) // nfpm would pack the link itself
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return err
		}
		config, err := yaml.Marshal(map[string]any{
			"name": r.Name, "arch": b.Arch, "platform": "linux", "version": r.Version.String(), "section": "utils", "priority": "optional",
			"maintainer": r.Maintainer, "homepage": r.URL, "license": "Apache-2.0", "mtime": r.Date,
			"description": r.Summary + "\n" + "Deploys runtimes for the Lithops Python client to IBM Cloud Code Engine, IBM\nCloud Functions, your own Apache OpenWhisk, or an endpoint on this machine.",
			"recommends":  []string{"ca-certificates"}, "suggests": []string{"python3"},
			"contents": append([]content{{path, "/usr/bin/" + r.Name, map[string]uint32{"mode": 0o755}}}, shared...),
		})
		if err != nil {
			return err
		}
		file := filepath.Join(stage, "nfpm.yaml")
		if err := os.WriteFile(file, config, 0o600); err != nil {
			return err
		}
		target := filepath.Join(dir, fmt.Sprintf("%s_%s_%s.deb", r.Name, r.Version, debianArch(b.Arch)))
		cmd := exec.Command("go", "tool", "-modfile=tools/go.mod", "nfpm", "package", "--config", file, "--packager", "deb", "--target", target)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("nfpm: %w\n%s", err, out)
		}
	}
	return nil
}

// debianArch returns Debian's name of a Go architecture.
func debianArch(arch string) string {
	if arch == "ppc64le" {
		return "ppc64el"
	}
	return arch
}

// writeCommonFiles writes the files that are identical for all architectures.
func (r release) writeCommonFiles(dir string) (all []content, err error) {
	put := func(dst string, data []byte) error {
		src := filepath.Join(dir, fmt.Sprintf("file-%d", len(all)))
		all = append(all, content{src, dst, map[string]uint32{"mode": 0o644}})
		return os.WriteFile(src, data, 0o644)
	}
	manual, err := filepath.Glob("docs/man/*.1")
	if err != nil || len(manual) == 0 {
		return nil, errors.Join(errors.New("docs/man does not contain manual pages"), err)
	}
	packed := map[string]string{"CHANGELOG.md": "/usr/share/doc/" + r.Name + "/CHANGELOG.md.gz", "plugin/NOTICE": "/usr/share/doc/" + r.Name + "/NOTICE.gz"}
	for _, page := range manual {
		packed[page] = "/usr/share/man/man1/" + filepath.Base(page) + ".gz"
	}
	for _, src := range slices.Sorted(maps.Keys(packed)) {
		data, err := os.ReadFile(src)
		if err != nil {
			return nil, err
		}
		if err := put(packed[src], compress(data)); err != nil {
			return nil, err
		}
	}
	changes := fmt.Sprintf("%s (%s) stable; urgency=medium\n\n  * Changes are in CHANGELOG.md.\n\n -- %s  %s\n", r.Name, r.Version, r.Maintainer, r.Date.Format(time.RFC1123Z))
	if err := put("/usr/share/doc/"+r.Name+"/changelog.gz", compress([]byte(changes))); err != nil {
		return nil, err
	}
	root := commands.NewRoot(&commands.Factory{View: &view.View{}, Version: plugin.Version})
	for _, script := range []struct {
		dst  string
		make func(io.Writer) error
	}{
		{"/usr/share/bash-completion/completions/" + r.Name, func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"/usr/share/zsh/vendor-completions/_" + r.Name, root.GenZshCompletion},
		{"/usr/share/fish/vendor_completions.d/" + r.Name + ".fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
	} {
		var b bytes.Buffer
		if err := errors.Join(script.make(&b), put(script.dst, b.Bytes())); err != nil {
			return nil, err
		}
	}
	return all, put("/usr/share/doc/"+r.Name+"/copyright", []byte(strings.ReplaceAll(copyright, "NAME", r.Name)))
}

// copyright is in the format of https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/.
const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: NAME

Files: *
Copyright: 2026 The authors of NAME
License: Apache-2.0
 On Debian systems the text of the license is in /usr/share/common-licenses/Apache-2.0.
Comment: What the program has in it of others, with its copyrights and licenses, is in
 /usr/share/doc/NAME/NOTICE.gz; 'NAME version --licenses' prints the same.
`

// compress compresses data without a file name and a time, as 'gzip -9n' does.
func compress(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}
