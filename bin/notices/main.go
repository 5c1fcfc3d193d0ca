// Command notices writes plugin/NOTICE, or the given file, and a compressed copy for the binary next to it. The file
// lists the modules that the binaries of all platforms link, with their licenses.
// github.com/elastic/go-licence-detector determines the licenses. Run the command in the project's directory after
// go.mod has changed:
//
//	make notices
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// platforms are the platforms of bin/release.
var platforms = []string{"linux/amd64", "linux/arm64", "linux/ppc64le", "linux/s390x", "darwin/amd64", "darwin/arm64", "windows/amd64"}

// fields is a template for go-licence-detector: one line per module.
const fields = "{{define \"line\"}}{{.Name}}\t{{.Version}}\t{{.LicenceType}}\t{{.LicenceFile}}\t{{.Dir}}\n{{end}}" +
	"{{range .Direct}}{{template \"line\" .}}{{end}}{{range .Indirect}}{{template \"line\" .}}{{end}}"

// allowed lists the licenses that linked modules may have.
const allowed = `{"allowlist": ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"]}`

const head = `fn-runtime
Copyright 2026 The authors of fn-runtime

This product is licensed under the Apache License, Version 2.0. It has the software below in it, under the licenses that
follow. The source code of each is at the address of its name, in the version given: go mod download NAME@VERSION.

`

func main() {
	target := "plugin/NOTICE"
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	if err := run(target); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(target string) error {
	modules, err := linked()
	if err != nil {
		return err
	}
	if modules, err = licensed(modules); err != nil {
		return err
	}
	text, err := notice(modules)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(target, text, 0o644), os.WriteFile(target+".gz", packed.Bytes(), 0o644))
}

// module is a linked module.
type module struct{ name, version, license, file, dir string }

// linked returns the modules of all platforms, except those that this repository replaces.
func linked() ([]module, error) {
	names := map[string]bool{}
	for _, p := range platforms {
		system, arch, _ := strings.Cut(p, "/")
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not (or .Main .Replace)}}{{.Path}}{{end}}{{end}}", ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
		out, err := output(cmd)
		if err != nil {
			return nil, err
		}
		for name := range strings.FieldsSeq(string(out)) {
			names[name] = true
		}
	}
	var all []module
	for name := range names {
		all = append(all, module{name: name})
	}
	return all, nil
}

// licensed determines the licenses of the modules.
func licensed(modules []module) (all []module, err error) {
	temp, err := os.MkdirTemp("", "notices")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	in := func(name string) string { return filepath.Join(temp, name) }
	list := exec.Command("go", "list", "-m", "-json")
	for _, m := range modules {
		list.Args = append(list.Args, m.name)
	}
	described, err := output(list)
	if err = errors.Join(err, os.WriteFile(in("modules"), described, 0o600), os.WriteFile(in("fields"), []byte(fields), 0o600),
		os.WriteFile(in("rules"), []byte(allowed), 0o600)); err != nil {
		return nil, err
	}
	if _, err := output(exec.Command("go", "tool", "-modfile=tools/go.mod", "go-licence-detector", "-includeIndirect", "-in", in("modules"),
		"-rules", in("rules"), "-depsTemplate", in("fields"), "-depsOut", in("out"))); err != nil {
		return nil, err
	}
	found, err := os.ReadFile(in("out"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(found)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 5 {
			all = append(all, module{f[0], f[1], f[2], f[3], f[4]})
		}
	}
	if len(all) != len(modules) {
		return nil, fmt.Errorf("%d modules are linked, but licenses of only %d were found", len(modules), len(all))
	}
	root, err := output(exec.Command("go", "env", "GOROOT"))
	if err != nil {
		return nil, err
	}
	dir := strings.TrimSpace(string(root))
	page := filepath.Join("commands", "dashboard", "assets")
	return append(all,
		module{name: "go (its library and run time)", license: "BSD-3-Clause", file: filepath.Join(dir, "LICENSE"), dir: dir},
		module{name: "htmx.org and htmx-ext-sse (npm)", version: "2.0.11, 2.2.4", license: "0BSD", file: filepath.Join(page, "LICENSE"), dir: page}), nil
}

// notice returns the text of the file: the list of modules, each license with the modules that use it, and the notices
// of the modules.
func notice(modules []module) ([]byte, error) {
	slices.SortFunc(modules, func(a, b module) int { return cmp.Compare(a.name, b.name) })
	var out bytes.Buffer
	out.WriteString(head)
	texts, of := []string{}, map[string][]string{}
	add := func(path, title string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := strings.Trim(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
		if of[text] == nil {
			texts = append(texts, text)
		}
		of[text] = append(of[text], title)
		return nil
	}
	for _, m := range modules {
		fmt.Fprintf(&out, "%s\n", strings.Join(strings.Fields(m.name+" "+m.version+" "+m.license), " "))
		if err := add(m.file, m.name); err != nil {
			return nil, err
		}
	}
	for _, m := range modules {
		found, err := filepath.Glob(filepath.Join(m.dir, "NOTICE*"))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			if err := add(path, m.name+", "+filepath.Base(path)); err != nil {
				return nil, err
			}
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(of[text], "\n"), text)
	}
	return out.Bytes(), nil
}

func output(cmd *exec.Cmd) ([]byte, error) {
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args[:3], " "), err, exit.Stderr)
	}
	return out, err
}
