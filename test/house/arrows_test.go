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
	for _, room := range rooms {
		if room.path == path || room.below && under(path, room.path) {
			return room.height
		}
	}
	return -1
}

// rooms from the top of the house to its ground; the first that fits counts. below means: with the folders in it.
var rooms = []struct {
	path   string
	below  bool
	height int
}{
	{"fn-runtime", false, 100},
	{"fn-runtime/plugin", true, 90},
	{"fn-runtime/commands", false, 80},
	{"fn-runtime/commands/view", true, 70},
	{"fn-runtime/runtime/connect", true, 60},
	{"fn-runtime/runtime/runtimetest", false, 55},
	{"fn-runtime/runtime", false, 50},
	{"fn-runtime/runtime/check", false, 49},
	{"fn-runtime/runtime/plan", false, 48},
	{"fn-runtime/runtime/site", false, 46},
	{"fn-runtime/runtime/local", false, 45},
	{"fn-runtime/runtime/images", false, 42},
	{"fn-runtime/runtime/openwhisk", true, 42},
	{"fn-runtime/runtime/storage", true, 42},
	{"fn-runtime/runtime/local/cloud", false, 95},
	{"fn-runtime/runtime/local/invoker", false, 40},
	{"fn-runtime/runtime/local/internal/container", false, 38},
	{"fn-runtime/runtime/local/internal/process", false, 38},
	{"fn-runtime/runtime/local/internal/sandbox", false, 36},
	{"fn-runtime/runtime/local/internal/rest", false, 36},
	{"fn-runtime/runtime/local/internal/s3", false, 36},
	{"fn-runtime/runtime/local/internal/state", false, 34},
	{"fn-runtime/runtime/local/invoke", false, 32},
	{"fn-runtime/runtime/images/buildkit", false, 36},
	{"fn-runtime/runtime/images/skeleton", false, 36},
	{"fn-runtime/runtime/images/engine", false, 34},   // how an engine is found and registries are asked: the container
	{"fn-runtime/runtime/images/registry", false, 34}, // invoker of the local endpoint needs both, too
	{"fn-runtime/runtime/lithops", true, 30},
	{"fn-runtime/runtime/transport", true, 30},
	{"fn-runtime/runtime/manifest", false, 30},
	{"fn-runtime/runtime/document", false, 8},
	{"fn-runtime/runtime/text", false, 7},
	{"fn-runtime/runtime/replace", false, 8},
	{"fn-runtime/runtime/linger", false, 8},
	{"fn-runtime/runtime/regular", false, 8},
	{"fn-runtime/runtime/actionproxy", false, 20},
	{"fn-runtime/runtime/parallel", false, 12},
	{"fn-runtime/runtime/fault", false, 10},
	{"fn-runtime/runtime/entity", false, 6},
	{"fn-runtime/i18n", true, 5},
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
			if to := layer(imp); to >= from {
				t.Errorf("%s imports %s: the arrow points up or sideways (%d -> %d)", p.ImportPath, imp, from, to)
			}
		}
	}
	if seen < 5 {
		t.Fatalf("only %d packages seen: the test looks at the wrong place", seen)
	}
}
