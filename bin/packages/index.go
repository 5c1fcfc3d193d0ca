package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// index is the list of a plug-in repository in the JSON format of the IBM Cloud CLI. IBM documents only parts of the
// format; the rest is derived from published lists, which the CLI reads from URL/bx/list.
type index struct {
	Plugins []entry `json:"plugins"`
}

type entry struct {
	Name        string    `json:"name"`
	Aliases     []string  `json:"aliases"`
	Description string    `json:"description"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
	Company     string    `json:"company"`
	Homepage    string    `json:"homepage"`
	Authors     []string  `json:"authors"`
	Versions    []version `json:"versions"`
}

type version struct {
	Version                  string     `json:"version"`
	Updated                  time.Time  `json:"updated"`
	DocURL                   string     `json:"doc_url"`
	MinCLIVersion            string     `json:"min_cli_version"`
	PrivateEndpointSupported bool       `json:"private_endpoint_supported"`
	Binaries                 []download `json:"binaries"`
	APIVersions              []string   `json:"api_versions"`
	ReleaseNotesLink         string     `json:"releaseNotesLink"`
}

// download is a binary for one platform. The CLI compares its SHA-1 checksum; SHA256SUMS contains a stronger checksum
// of the same file.
type download struct {
	Platform string `json:"platform"`
	URL      string `json:"url"`
	Checksum string `json:"checksum"`
}

// writeIndex writes the list to DIR/bx/list, and to DIR/list for clients that read that path.
func (r release) writeIndex(dir string) error {
	v := version{
		Version: r.Version.String(), Updated: r.Date, MinCLIVersion: r.MinCliVersion.String(),
		PrivateEndpointSupported: r.PrivateEndpointSupported,
	}
	for _, b := range r.Binaries {
		data, err := os.ReadFile(b.path)
		if err != nil {
			return err
		}
		v.Binaries = append(v.Binaries, download{platforms[b.OS+"/"+b.Arch], r.URL + "/" + b.File, fmt.Sprintf("%x", sha1.Sum(data))})
	}
	e := entry{
		Name: r.Name, Aliases: r.Aliases, Description: r.Summary, Created: r.Date, Updated: r.Date, Homepage: r.URL,
		Authors: []string{}, Versions: []version{v},
	}
	text, err := json.MarshalIndent(index{Plugins: []entry{e}}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "bx"), 0o755); err != nil {
		return err
	}
	for _, name := range []string{"list", "bx/list"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeSums writes the checksums of a release to DIR/SHA256SUMS, in the format of sha256sum.
func writeSums(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, `fn-runtime[\-_.]*`))
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, file := range append(files, filepath.Join(dir, "LICENSE"), filepath.Join(dir, "NOTICE"), filepath.Join(dir, "list"), filepath.Join(dir, "bx", "list")) {
		sum, err := sha256Of(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, filepath.ToSlash(name))
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(b.String()), 0o644)
}

// sha256Of returns the checksum of a file in hexadecimal digits.
func sha256Of(path string) (string, error) {
	data, err := os.ReadFile(path)
	return fmt.Sprintf("%x", sha256.Sum256(data)), err
}
