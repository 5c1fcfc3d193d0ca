// Command packages creates the packages of a release from the binaries in a directory: the index of an IBM Cloud
// plug-in repository, a Homebrew formula, Debian packages, the licenses, and SHA256SUMS of all files. bin/release runs
// it in the project's directory. Run it separately to recreate the packages for another URL:
//
//	go run ./bin/packages -url https://example.com/fn-runtime dist
//
// The description is read from the metadata of the plug-in, and the release date from CHANGELOG.md. The output does not
// depend on the machine: the same sources and the same URL produce the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"

	"fn-runtime/plugin"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:8000", "URL that the directory is served from")
	maintainer := flag.String("maintainer", "fn-runtime maintainers <maintainers@example.com>", "maintainer of the Debian packages, as NAME <ADDRESS>")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: packages [-url URL] [-maintainer MAINTAINER] DIR")
		os.Exit(2)
	}
	if err := write(flag.Arg(0), strings.TrimRight(*url, "/"), *maintainer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// release is the description that all packages share.
type release struct {
	sdk.PluginMetadata
	Summary    string // one line
	URL        string // without a trailing slash
	Date       time.Time
	Maintainer string
	Binaries   []binary
}

// binary is one built file.
type binary struct {
	OS, Arch string // in Go's terms: "linux", "amd64"
	File     string // base name
	path     string
}

// platforms maps Go's platforms to the IBM Cloud CLI's names.
var platforms = map[string]string{
	"darwin/amd64": "osx", "darwin/arm64": "osx-arm64", "windows/amd64": "win64",
	"linux/amd64": "linux64", "linux/arm64": "linux-arm64", "linux/ppc64le": "ppc64le", "linux/s390x": "s390x",
}

func write(dir, url, maintainer string) error {
	r := release{PluginMetadata: plugin.Metadata(), URL: url, Maintainer: maintainer}
	r.Summary = strings.TrimSuffix(r.Namespaces[0].Description, ".")
	var err error
	if r.Date, err = releaseDate("CHANGELOG.md", plugin.Version); err != nil {
		return err
	}
	if r.Binaries, err = binaries(dir); err != nil {
		return err
	}
	if err := r.writeIndex(dir); err != nil {
		return err
	}
	if err := r.writeFormula(filepath.Join(dir, r.Name+".rb")); err != nil {
		return err
	}
	if err := r.writeDebian(dir); err != nil {
		return err
	}
	for _, src := range []string{"LICENSE", "plugin/NOTICE"} {
		data, err := os.ReadFile(src)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(src)), data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return writeSums(dir)
}

// releaseDate returns the release date of a version.
func releaseDate(changelog, version string) (time.Time, error) {
	text, err := os.ReadFile(changelog)
	if err != nil {
		return time.Time{}, err
	}
	m := regexp.MustCompile(`(?m)^## \[` + regexp.QuoteMeta(version) + `\] - (\d{4}-\d\d-\d\d)$`).FindSubmatch(text)
	if m == nil {
		return time.Time{}, fmt.Errorf("%s does not contain the line '## [%s] - YYYY-MM-DD'", changelog, version)
	}
	return time.Parse(time.DateOnly, string(m[1]))
}

// binaries returns the files that bin/release has built, sorted by name.
func binaries(dir string) (all []binary, err error) {
	prefix := "fn-runtime-" + plugin.Version + "-"
	found, err := filepath.Glob(filepath.Join(dir, prefix+"*-*"))
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		file := filepath.Base(path)
		system, arch, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(file, prefix), ".exe"), "-")
		if platforms[system+"/"+arch] == "" {
			return nil, fmt.Errorf("%s is not for a platform of the IBM Cloud CLI", file)
		}
		all = append(all, binary{OS: system, Arch: arch, File: file, path: path})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s does not contain binaries %s*", dir, prefix)
	}
	return all, nil
}
