// Package skeleton writes the folder that a runtime of one's own starts from: a Dockerfile, the packages that a
// Lithops worker needs, and the action proxy where OpenWhisk is to start it.
//
// What may go in: the templates, and which base image fits which Python. What may not: building, and the code of Lithops,
// which reaches the container with each deployed runtime, or with the build.
package skeleton

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"fn-runtime/i18n"
	"fn-runtime/runtime/actionproxy"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

//go:embed templates
var templates embed.FS

// Options says which skeleton to write.
type Options struct {
	Python string // "3.11"
	Conda  bool   // packages from conda-forge, in an environment of their own
	Force  bool   // overwrite files that are there
	Jobs   bool   // for Code Engine, which starts jobs, in place of OpenWhisk's actions
	Code   bool   // of Jobs: with the code of Lithops inside
	// Program is how this program is called, for comments; "" within the IBM Cloud CLI.
	Program string
}

// Pythons are the versions that a skeleton can be written for, oldest first.
func Pythons() []string {
	return []string{"3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"}
}

// base is the image that a skeleton for this Python starts from when conda is not used. Debian 12 is the base of every
// official Python image from 3.7 on; 3.6 ended before it came out.
func base(python string) string {
	if python == "3.6" {
		return "python:3.6-slim-bullseye"
	}
	return "python:" + python + "-slim-bookworm"
}

// pins are the last releases of IBM's SDKs for Pythons that have ended. Later ones refuse these Pythons only once they
// are built, so that pip would try one after the other for minutes. No newer release will come for them.
func pins(python string) (cos, core string) {
	switch python {
	case "3.6":
		return "==2.12.0", "==3.16.0"
	case "3.7":
		return "==2.13.4", "==3.16.0"
	case "3.8", "3.9":
		return "==2.14.2", "==3.16.0"
	}
	return "", ""
}

// condaBase is the image whose conda makes the environment of a conda skeleton.
const condaBase = "continuumio/miniconda3:24.11.1-0"

// Modules are what a worker imports on top of Python's own library, with a store of the Lithops configuration's name:
// "ibm_cos", or "minio", "ceph" and "aws_s3", which share an SDK. "" is every store of a skeleton. The names are those of
// `import`, read from the workers of Lithops 2.2 to 3.8; without them the first call into a runtime fails.
func Modules(store string) []string {
	modules := []string{"cloudpickle", "pika", "ps_mem", "psutil", "requests", "six", "tblib", "yaml"}
	ibm, s3 := []string{"ibm_boto3", "ibm_botocore", "ibm_cloud_sdk_core"}, []string{"boto3", "botocore"}
	switch store {
	case "":
		modules = append(append(modules, ibm...), s3...)
	case "ibm_cos":
		modules = append(modules, ibm...)
	default:
		modules = append(modules, s3...)
	}
	return modules
}

// Write writes the skeleton into dir, which is made when it is not there, and gives the paths of the files in the order
// in which they were written. When one of them exists and Force is not given, nothing is written and a fault.Conflict
// lists those that are in the way. An unknown Python is a fault.Invalid.
func Write(dir string, o Options) (written []string, err error) {
	files, err := render(o)
	if err != nil {
		return nil, err
	}
	if !o.Force {
		if err := nothingThere(dir, files); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, unwritable(dir, err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := writeWhole(path, f.data); err != nil {
			return written, unwritable(path, err)
		}
		written = append(written, path)
	}
	return written, nil
}

// writeWhole replaces the file at once, so that nobody finds half of one. It works on Windows too.
func writeWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".fn-runtime-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type file struct {
	name string
	data []byte
}

// render makes the files. The Dockerfile comes last, so that a folder with one is a whole skeleton.
func render(o Options) ([]file, error) {
	if !known(o.Python) {
		return nil, fault.New(fault.Invalid,
			i18n.M("There is no skeleton for Python {{.Python}}.", "Python", fmt.Sprintf("%q", o.Python)),
			i18n.M("Set '--python' to one of {{.Pythons}}.", "Pythons", strings.Join(Pythons(), ", ")))
	}
	imports := Modules("")
	if o.Jobs {
		imports = append(imports, "flask")
	}
	dockerfile, data := "Dockerfile", map[string]any{
		"Python": o.Python, "Base": base(o.Python), "Imports": strings.Join(imports, ", "), "Jobs": o.Jobs, "Code": o.Jobs && o.Code, "Archive": lithops.ImageArchive,
		"Program": cmp.Or(o.Program, "ibmcloud fn-runtime"),
	}
	data["COS"], data["Core"] = pins(o.Python)
	if o.Conda {
		dockerfile, data["Base"] = "Dockerfile.conda", condaBase
	}
	var files []file
	for _, t := range []struct{ template, name string }{
		{"requirements.txt", "requirements.txt"}, {"dockerignore", ".dockerignore"}, {dockerfile, "Dockerfile"},
	} {
		text, err := expand(t.template, data)
		if err != nil {
			return nil, err
		}
		files = append(files, file{t.name, text})
	}
	if o.Jobs {
		return files, nil
	}
	return append([]file{{actionproxy.Name, actionproxy.Source()}}, files...), nil
}

func expand(name string, data map[string]any) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	err = t.ExecuteTemplate(&b, name, data)
	return []byte(b.String()), err
}

func known(python string) bool {
	return slices.Contains(Pythons(), python)
}

// nothingThere looks at names, not at what links point to: a dangling link would be overwritten too.
func nothingThere(dir string, files []file) error {
	var there []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		_, err := os.Lstat(path)
		switch {
		case err == nil:
			there = append(there, path)
		case !errors.Is(err, fs.ErrNotExist):
			return unwritable(path, err)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return fault.New(fault.Conflict,
		i18n.M("These files already exist: {{.Files}}. Nothing was written.", "Files", strings.Join(there, ", ")),
		i18n.M("Choose another directory, or overwrite the files with '--force'."))
}

func unwritable(path string, err error) error {
	reason := err
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		reason = pe.Err
	}
	return fault.New(fault.Failed,
		i18n.M("{{.Path}} cannot be written: {{.Error}}.", "Path", path, "Error", reason),
		i18n.M("Choose a writable directory on a disk with free space.")).Because(err)
}
