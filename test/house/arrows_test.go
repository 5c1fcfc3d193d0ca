// Package house holds the rules of the house that a machine can check.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// layer gives the height of a package in the house; an import may only go down. Packages of the same height do not
// know each other, except inside one folder.
func layer(path string) int {
	switch {
	case path == "fn-runtime":
		return 100
	case under(path, "fn-runtime/plugin"):
		return 90
	case path == "fn-runtime/commands":
		return 80
	case under(path, "fn-runtime/commands/view"):
		return 70
	case path == "fn-runtime/runtime/connect":
		return 60
	case path == "fn-runtime/runtime/runtimetest":
		return 55
	case path == "fn-runtime/runtime":
		return 50
	case under(path, "fn-runtime/runtime/local/invoker"):
		return 35
	case path == "fn-runtime/runtime/local":
		return 40
	case under(path, "fn-runtime/runtime/images"), under(path, "fn-runtime/runtime/functions"), under(path, "fn-runtime/runtime/storage"):
		return 40
	case path == "fn-runtime/runtime/transport", path == "fn-runtime/runtime/lithops":
		return 30
	case path == "fn-runtime/runtime/fault":
		return 10
	case path == "fn-runtime/runtime/entity", path == "fn-runtime/runtime/nearest", path == "fn-runtime/i18n":
		return 5
	case under(path, "fn-runtime/runtime"):
		return 20
	}
	return -1
}

func under(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// allowedSDK names the only packages that may import the IBM Cloud CLI SDK.
func allowedSDK(path string) bool { return under(path, "fn-runtime/plugin") }

func TestArrowsPointDown(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = harness.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if under(p.ImportPath, "fn-runtime/test") || under(p.ImportPath, "fn-runtime/bin") {
			continue
		}
		seen++
		from := layer(p.ImportPath)
		if from < 0 {
			t.Errorf("%s has no place in the house: give it one in layer()", p.ImportPath)
		}
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, "github.com/IBM-Cloud/ibm-cloud-cli-sdk") && !allowedSDK(p.ImportPath) {
				t.Errorf("%s imports the CLI SDK (%s); only plugin/ may", p.ImportPath, imp)
			}
			if !under(imp, "fn-runtime") {
				continue
			}
			if to := layer(imp); to >= from && !under(imp, p.ImportPath) && !under(p.ImportPath, imp) {
				t.Errorf("%s imports %s: the arrow points up or sideways (%d -> %d)", p.ImportPath, imp, from, to)
			}
		}
	}
	if seen < 5 {
		t.Fatalf("only %d packages seen: the test looks at the wrong place", seen)
	}
}
