// Package skeleton writes the directory from which users build their own runtime: a Dockerfile, the list of packages
// that a Lithops worker needs, and the action proxy for OpenWhisk.
//
// The package contains the templates and the choice of the base image for a Python version. It does not build images,
// and it does not contain the code of Lithops, which is added by each deployment of a runtime or by the build.
package skeleton

import (
	"cmp"
	"embed"
	"errors"
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

// Options specifies the content of a skeleton.
type Options struct {
	Python string // "3.11"
	Conda  bool   // install packages from conda-forge in a separate environment
	Force  bool   // overwrite existing files
	Jobs   bool   // for jobs of Code Engine instead of actions of OpenWhisk
	Code   bool   // with Jobs: include the code of Lithops
	// Program is the name of this program for comments. It defaults to the name within the IBM Cloud CLI.
	Program string
}

// Pythons returns the supported Python versions, oldest first.
func Pythons() []string {
	return []string{"3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"}
}

// baseImage returns the base image for a Python version without conda. Debian 12 has official Python images for 3.7 and
// later; Python 3.6 reached its end of life before Debian 12 was released.
func baseImage(python string) string {
	if python == "3.6" {
		return "python:3.6-slim-bullseye"
	}
	return "python:" + python + "-slim-bookworm"
}

// sdkPins returns the last releases of IBM's SDKs that support a Python version after its end of life. No newer release
// will support it. Later releases reject such a Python version only when they are built, so without the pins pip would
// try them one by one for minutes.
func sdkPins(python string) (cos, core string) {
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

// condaBase is the image whose conda creates the environment of a conda skeleton.
const condaBase = "continuumio/miniconda3:24.11.1-0"

// Modules returns the modules that a worker imports in addition to the Python standard library. store is a storage
// backend of the Lithops configuration: "ibm_cos", or "minio", "ceph" and "aws_s3", which share an SDK; "" means all
// stores of a skeleton. The names are import names, taken from the workers of Lithops 2.2 to 3.8. If one is missing,
// the first invocation of a runtime fails.
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

// Write writes the skeleton into dir, which it creates if necessary, and returns the paths of the written files in
// order. If a file exists and Force is not set, it writes nothing and returns a fault.Conflict error that lists the
// existing files. It returns a fault.Invalid error for an unsupported Python version.
func Write(dir string, o Options) (written []string, err error) {
	files, err := render(o)
	if err != nil {
		return nil, err
	}
	if !o.Force {
		if err := checkOverwrite(dir, files); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, writeFault(dir, err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := writeAtomic(path, f.data); err != nil {
			return written, writeFault(path, err)
		}
		written = append(written, path)
	}
	return written, nil
}

// writeAtomic replaces the file atomically, so that no reader sees a partial file. It also works on Windows.
func writeAtomic(path string, data []byte) (err error) {
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

// render creates the files. The Dockerfile is the last one, so that a directory with a Dockerfile contains a complete
// skeleton.
func render(o Options) ([]file, error) {
	if !supported(o.Python) {
		return nil, fault.New(fault.Invalid,
			i18n.M("There is no skeleton for Python {{.Python}}.", "Python", o.Python),
			i18n.M("Set '--python' to one of {{.Pythons}}.", "Pythons", strings.Join(Pythons(), ", ")))
	}
	imports := Modules("")
	if o.Jobs {
		imports = append(imports, "flask")
	}
	dockerfile, data := "Dockerfile", map[string]any{
		"Python": o.Python, "Base": baseImage(o.Python), "Imports": strings.Join(imports, ", "), "Jobs": o.Jobs, "Code": o.Jobs && o.Code, "Archive": lithops.ImageArchive,
		"Program": cmp.Or(o.Program, "ibmcloud fn-runtime"),
	}
	data["COS"], data["Core"] = sdkPins(o.Python)
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

func supported(python string) bool {
	return slices.Contains(Pythons(), python)
}

// checkOverwrite returns an error if a file exists. It checks names rather than the targets of links, because a
// dangling link would be overwritten as well.
func checkOverwrite(dir string, files []file) error {
	var existing []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		_, err := os.Lstat(path)
		switch {
		case err == nil:
			existing = append(existing, path)
		case !errors.Is(err, fs.ErrNotExist):
			return writeFault(path, err)
		}
	}
	if len(existing) == 0 {
		return nil
	}
	return fault.New(fault.Conflict,
		i18n.M("These files already exist: {{.Files}}. Nothing was written.", "Files", strings.Join(existing, ", ")),
		i18n.M("Choose another directory, or overwrite the files with '--force'."))
}

func writeFault(path string, err error) error {
	reason := err
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		reason = pe.Err
	}
	return fault.New(fault.Failed,
		i18n.M("{{.Path}} cannot be written: {{.Error}}.", "Path", path, "Error", reason),
		i18n.M("Choose a writable directory on a disk with free space.")).Because(err)
}
