package main

import (
	"bytes"
	"os"
	"text/template"
)

// formula is the template of a Homebrew formula that installs the binary and the completion scripts. Homebrew runs only
// on macOS and Linux, on Intel and ARM.
const formula = `# Made by bin/packages.
class FnRuntime < Formula
  desc "{{.Summary}}"
  homepage "{{.URL}}"
  version "{{.Version}}"
  license "Apache-2.0"
{{range .Systems}}
  on_{{.Name}} do
{{- range .Machines}}
    on_{{.Name}} do
      url "{{$.URL}}/{{.File}}"
      sha256 "{{.SHA256}}"
    end
{{- end}}
  end
{{end}}
  def install
    bin.install Dir["{{.Name}}-*"].first => "{{.Name}}"
    doc.mkpath
    (doc/"NOTICE").write Utils.safe_popen_read(bin/"{{.Name}}", "version", "--licenses")
    generate_completions_from_executable(bin/"{{.Name}}", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/{{.Name}} version")
  end
end
`

type brewSystem struct {
	Name     string // "macos"
	Machines []brewMachine
}

type brewMachine struct{ Name, File, SHA256 string }

func (r release) writeFormula(path string) error {
	var systems []brewSystem
	for _, s := range []struct{ brew, goos string }{{"macos", "darwin"}, {"linux", "linux"}} {
		system := brewSystem{Name: s.brew}
		for _, b := range r.Binaries {
			machine := map[string]string{"amd64": "intel", "arm64": "arm"}[b.Arch]
			if b.OS != s.goos || machine == "" {
				continue
			}
			sum, err := sha256Of(b.path)
			if err != nil {
				return err
			}
			system.Machines = append(system.Machines, brewMachine{machine, b.File, sum})
		}
		if len(system.Machines) > 0 {
			systems = append(systems, system)
		}
	}
	var b bytes.Buffer
	err := template.Must(template.New("formula").Parse(formula)).Execute(&b, struct {
		release
		Systems []brewSystem
	}{r, systems})
	if err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
