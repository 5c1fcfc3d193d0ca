package lithops

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/fault"
)

const result = `{"preinstalls":[["numpy",true],["six",false]],"python_version":"3.11","lithops_version":"3.7.0"}`

func TestEncodeMatchesClient(t *testing.T) {
	m, err := ParseMetadata([]byte(result))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"preinstalls": [["numpy", true], ["six", false]], "python_version": "3.11", "lithops_version": "3.7.0", "runtime_timeout": 600}`
	if got := string(Encode(m, 600)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	again, err := ParseMetadata(Encode(m, 600))
	if err != nil || again.TimeoutS != 600 || string(Encode(again, 300)) != strings.Replace(want, "600", "300", 1) {
		t.Errorf("%+v, %v", again, err)
	}
	made := Metadata{Preinstalls: m.Preinstalls, PythonVersion: "3.11", LithopsVersion: "3.7.0"}
	if got := string(Encode(made, 600)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d := cmp.Diff([]string{"numpy", "six"}, m.Modules()); d != "" {
		t.Error(d)
	}
}

// The output equals that of json.dumps of a real Python.
func TestEncodeMatchesPython(t *testing.T) {
	odd := `{"preinstalls":[["é",true],["\ud83d\ude00\u0000\u001f\"\\\/\b\f\n\r\t",false]],"python_version":"3.11","lithops_version":"3.7.0","x":{"a":[],"b":{},"c":[1.50,-2,{"d":null}]}}`
	m, err := ParseMetadata([]byte(odd))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-c", "import json,sys\nd=json.load(sys.stdin)\nd['runtime_timeout']=5\nsys.stdout.write(json.dumps(d))")
	cmd.Stdin = strings.NewReader(strings.Replace(odd, "1.50", "1.5", 1))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Replace(string(Encode(m, 5)), "1.50", "1.5", 1); got != string(out) {
		t.Errorf("got\n%s\nwant\n%s", got, out)
	}
}

func TestParseMetadataErrors(t *testing.T) {
	for _, bad := range []string{
		"", "null", "[]", "{", "{}", result + "x", `{"error":"boom"}`, `{"activationId":"abc"}`,
		`{"preinstalls":[["a"]],"python_version":"3.11"}`, `{"preinstalls":[[1,true]],"python_version":"3.11"}`, `{"preinstalls":null,"python_version":"3.11"}`,
		`{"preinstalls":[],"python_version":"\u001b[31m"}`, `{"preinstalls":[],"python_version":3.11}`, `{"preinstalls":[]}`,
		`{"preinstalls":[],"python_version":"3.11","lithops_version":"x\n"}`, `{"preinstalls":[],"python_version":"3.11","runtime_timeout":"600"}`,
		`{"preinstalls":"` + strings.Repeat("x", maxMetadata) + `"}`,
	} {
		if _, err := ParseMetadata([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
	m, err := ParseMetadata([]byte(`{"preinstalls":[],"python_ver":"3.6"}`))
	if err != nil || m.PythonVersion != "3.6" || m.LithopsVersion != "" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestPayload(t *testing.T) {
	for version, key := range map[string]string{"2.2.11": "get_preinstalls", "2.6.0": "get_preinstalls", "2.7.0": "get_metadata", "3.8.0": "get_metadata"} {
		p, err := Payload(version)
		if err != nil || p[key] != true || p["log_level"] != 20 || len(p) != 2 {
			t.Errorf("%s: %v, %v", version, p, err)
		}
	}
	if _, err := Payload("2.2.10"); err == nil {
		t.Error("got no error for 2.2.10")
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(result))
	f.Add([]byte(`{"preinstalls":[],"python_ver":"3.6","x":[{"y":1e5}],"runtime_timeout":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMetadata(data)
		if err != nil {
			return
		}
		out := Encode(m, 7)
		if !json.Valid(out) || bytes.ContainsFunc(out, func(r rune) bool { return r > 0x7f || r < ' ' }) {
			t.Errorf("%q", out)
		}
		again, err := ParseMetadata(out)
		if len(out) <= maxMetadata && (err != nil || again.TimeoutS != 7 || !bytes.Equal(Encode(again, 7), out)) {
			t.Errorf("%q, %v", out, err)
		}
	})
}
