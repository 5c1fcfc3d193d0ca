package pyyaml_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/lithops/pyyaml"
	"fn-runtime/test/harness"
)

// loader is a program that parses texts with the loader of the client, one after another in one process.
const loader = `
import base64, json, sys, tempfile
import lithops.config
def outline(v):
    kind = type(v).__name__
    if kind == "dict":
        return [kind, {k: outline(x) for k, x in v.items() if type(k) is str}]
    if kind == "list":
        return [kind, [outline(x) for x in v]]
    if kind == "str":
        return [kind, v]
    if kind == "bool":
        return [kind, "true" if v else "false"]
    if kind == "int":
        return [kind, str(v) if -2**63 <= v < 2**63 else "other"]
    return [kind] if kind in ("NoneType", "float") else ["other"]
results = []
path = tempfile.mktemp()
for text in json.load(sys.stdin):
    with open(path, "wb") as f:
        f.write(base64.b64decode(text))
    try:
        data = lithops.config.load_yaml_config(path)
        results.append({"value": outline(data) if data or type(data) in (bool, int, float) else None})
    except RecursionError:
        results.append({"rejected": "recursion"})
    except Exception as e:
        results.append({"rejected": " ".join(str(e).split())})
json.dump(results, sys.stdout)
`

type clientResult struct {
	Rejected string
	Value    any
}

func loadWithClient(t *testing.T, texts [][]byte) (results []clientResult) {
	t.Helper()
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(harness.Venv(t, "3.11", "lithops", "boto3"), "bin", "python"), "-c", loader)
	cmd.Env, cmd.Stdin = append(os.Environ(), "PYTHONUTF8=1", "TMPDIR="+t.TempDir()), bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &results)
	}
	if err != nil || len(results) != len(texts) {
		t.Fatalf("%v, %d results to %d texts: %s", err, len(results), len(texts), stderr.String())
	}
	return results
}

// rewritten returns the configuration that lithops-config writes if there is nothing to change.
func rewritten(t *testing.T, text []byte) ([]byte, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := lithops.Load(lithops.LoadOptions{File: file})
	if err != nil {
		return nil, err
	}
	d, err := c.Document()
	if err != nil {
		return nil, err
	}
	return d.Text("a test")
}

// compareRewritten reports texts whose values change when they are rewritten.
func compareRewritten(t *testing.T, texts [][]byte) {
	t.Helper()
	for _, text := range texts {
		read, err := pyyaml.Outline(text)
		if sections, _ := read.([]any); err != nil || sections == nil || sections[0] != "dict" {
			continue
		}
		written, err := rewritten(t, text)
		if err != nil {
			t.Errorf("%q cannot be rewritten: %v", text, err)
			continue
		}
		again, err := pyyaml.Outline(written)
		if err != nil {
			t.Errorf("%q is rewritten to %q, which is invalid: %v", text, written, err)
		} else if d := cmp.Diff(read, again); d != "" {
			t.Errorf("%q is rewritten to %q: before -, after +\n%s", text, written, d)
		}
	}
}

// compareWithClient reports texts that Parse and the client read differently.
func compareWithClient(t *testing.T, texts [][]byte) {
	t.Helper()
	for i, client := range loadWithClient(t, texts) {
		ours, err := pyyaml.Outline(texts[i])
		switch {
		case client.Rejected != "" && err == nil:
			t.Errorf("%q: the client rejects the text (%s), but Parse returns %v", texts[i], client.Rejected, ours)
		case client.Rejected == "" && err != nil && parserRejects.Match(texts[i]):
		case client.Rejected == "" && err != nil:
			t.Errorf("%q: the client accepts the text, but Parse does not: %v", texts[i], err)
		case err == nil:
			got, _ := json.Marshal(ours)
			want, _ := json.Marshal(client.Value)
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("%q: client -, Parse +\n%s", texts[i], d)
			}
		}
	}
}

const validConfig = `# a configuration
lithops:
  backend: ibm_cf
  storage: ibm_cos
  log_level: DEBUG
base: &base {endpoint: "https://a.example:443", namespace: 'one'}
ibm:
  iam_api_key: AbCd-1234_x # key
  region: us-south
ibm_cf:
  <<: *base
  runtime: me/image:1.0
  runtime_memory: 2048
  runtime_timeout: 0600
  note: |
    several
    lines
  more: >-
    folded
    text
ibm_cos:
  storage_bucket: my-bucket
  access_key_id: "A\tB"
  secret_access_key: 'it''s'
  list:
  - one
  - 2
  - [true, no, ~, 1.5, 2001-12-14]
`

// edgeCases are unusual but realistic texts, and realistic texts with a changed byte.
var edgeCases = []string{
	"", "# nothing\n", "{}", "---\n", "null", "\ufefflithops:\n  backend: x\n", "lithops:\r\n  backend: x\r\n", "lithops:\r  backend: x\r",
	"a: %x\n", "a: ,x\n", "a: b\n---\n", "---\na: b\n...\n", "a: b\n...\nc: d\n", "a: \x00\n", "a: caf\xe9\n", "a: café\n", "a:\tb\n", "\ta: b\n", "a: b\t# c\n", "a: \"b\t\"\n",
	"a: b\tc\n", "# x\ty\na: b\n", "a: |\n  x\ty\n", "a: {b: c,\td: e}\n", "a: &x 1\nb: &x 2\n", "a: *x\n", "a: 1\na: 2\n", "on: 1\nyes: 2\n", "1: a\n",
	"a: !!str 12\nb: !!int '12'\nc: !!float 1\nd: !!bool yes\n", "a: !!python/none\n", "a: !x b\n", "a: @x\n", "a: `x`\n", "a: 08\nb: 017\nc: 0x1F\nd: 0b\n", "a: 190:20:30\n",
	"a: 2001-99-99\n", "a: 2001-12-14t21:59:43.10-05:00\n", "a: =\n", "=: a\n", "<<: 1\n", "<<: {a: 1}\na: 2\n", "<<: [{a: 1}, {b: 3}]\n", "<<: [{aa: 1}, {aa: 2}]\naa: 3\n", "a: &a {bb: 1}\nc: {<<: [*a, *a, {bb: 1}]}\n", "? [a]\n: b\n", "? a\n: b\n", "[a]: b\n",
	"a: b: c\n", "a:\n  - b\n c: d\n", "a: 'b\n  c'\n", "a: \"b\\\n  c\"\n", "a: \"\\x41\\u00e9\"\n", "a: \"\\q\"\n", "%YAML 1.1\n---\na: b\n", "%YAML 1.2\n---\na: b\n", "{a: b:, c: d}\n", "a:: b\n", "a: |\n  \tx\n", "a: \"b\n\tc\"\n", "a: \"b\t\n  c\"\n", "a: -\n", "a: - b\n",
	"a: ? b\n", "a: [b, c\n", "a: {b\n", "a: {b: c}}\n", "a: #b\n", "a: b#c\n", "a:b\n", "a: http://x:1/y#z\n", "{a: b, c}\n", "[a, b]\n", "a: [b, , c]\n", "a: {? b : c}\n", "a: {b:c}\n",
	"a: \x1b[0m\n", "a: \u2028b\n", "a: \u0085b\n", "a: 'x\ufeffy'\n", "a: \U0001F600\n", "a: 1_000\n", "a: .5\nb: 1.\nc: 1e5\nd: -.inf\n", "a: !!binary aGk=\n", "a: ! 12\n", "!!map {a: b}\n", "a: ''\nb: \"\"\n",
	"a: ! 12\nb: ! [c]\n", "a: 'x\u0085 y'\n", "a: 'x\u2028 y'\n", "a: \"b\\'c\"\n", "a: &x \"b\\\"\n  c\\'d\"\n", "a: \"b\\\\'c\"\n", "a: |# b\n  c\n", "a: >-# b\n  c\n", "a: &x |+1# b\n c\n", "a: | # b\n  c\n", "a: |\n  # b\n",
	"a: 2001-12-14T21:59:43+24:00\n", "a: 2001-12-14 21:59:43 -23:59\n", "a: 2001-12-14T21:59:43+23:60\n", "a: 2001-12-14 21:59:43 EST\n", "a: 2001-12-14 21:59:43 +1:3\n", "a: 2001-12-14T21:59:43.5 x\n", "\ufeff%YAML 1.2\n---\na: b\n",
	"a: >\n  y\n   z\n\n  w\n", "a: >+\n y\n\n\n  z\n\n", "a: |2\n   x\n", "a: |\n x\n  y\n", "a: >\n x\n  y\n\n z\n", "a: |+\n x\n\n", "--- a\n", "--- {a: b}\n", "--- |\n x\n", "a: b # c\n# d\n", "a:\n", "a: ~\nb: Null\nc: nULL\n", "y: n\nn: y\n", "a: *\n", "a: &\n", "a: !\n", "- a\n", "x\n", "12\n",
}

func TestParseMatchesClientForEdgeCases(t *testing.T) {
	var texts [][]byte
	for _, o := range edgeCases {
		texts = append(texts, []byte(o), []byte("lithops:\n  backend: x\n"+o))
	}
	compareWithClient(t, texts)
	compareRewritten(t, texts)
}

var pieces = []string{"\t", "%", ",", "---\n", "\x00", "\xe9", "'", "\"", "[", "]", "{", "}", "&a ", "*a", "*base", "<<: ", "!!str ", "!x ", "#", " #", "\n", " ", "  ", "\r\n", "\ufeff",
	"|", ">", ":", ": ", "- ", "@", "`", "\\", "0", "1e3", "~", "yes", "=", "\u00a0", "...\n", "\n\n", "é"}

// parserRejects matches unusual syntax that PyYAML accepts but Parse or its parser does not: a word in
// brackets that ends with a colon, an escaped tab or slash, a folded text that starts with a tab, directives.
var parserRejects = regexp.MustCompile(`:[,\]}]|::|\\[\t/]|>-?\n +\t|(?m)^\x{feff}?%`)

// Parse returns an error for texts that releases of PyYAML read differently, or that the parser reads differently than
// PyYAML. Otherwise a key could silently have another value.
func TestParseRejectsAmbiguousTexts(t *testing.T) {
	for text, want := range map[string]string{
		"a: &a {key: 1}\nb: &b {key: 2}\nc: {<<: [*a, *b]}\n": `the key "key"`,
		"c:\n  <<: {key: 1}\n  <<: {key: 2}\n":                `the key "key"`,
		"c: {<<: [{key: {a: 1}}, {key: {a: 2}}]}\n":           `the key "key"`,
		"a: &x ! '12'\n":               "a !",
		"\ufeffa: ! \"12\"\n":          "a !",
		"é: 'x\u2028 y'\nb: [! '1']\n": "a !",
		"a: ! |\n  5\n":                "a !",
		"\ufeff\ufeffa: b\n":           "two byte order marks",
		"a: [b:, c]\n":                 "ends with a colon",
		`a: "b\/c"`:                    "escape",
	} {
		if got, err := pyyaml.Outline([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestParseMatchesClientForDamagedTexts(t *testing.T) {
	seed, count := uint64(20261128), 1000
	if s := os.Getenv("FN_RUNTIME_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
		count = 4000
	}
	t.Logf("seed %d: rerun with FN_RUNTIME_SEED=%[1]d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	lines := strings.SplitAfter(validConfig, "\n")
	if testing.Short() {
		count = 200
	}
	texts := make([][]byte, count)
	for i := range texts {
		from := random.IntN(len(lines) - 4)
		text := strings.Join(lines[from:from+4+random.IntN(len(lines)-from-3)], "")
		if random.IntN(3) == 0 {
			text = validConfig
		}
		for range 1 + random.IntN(2) {
			at := random.IntN(len(text) + 1)
			piece := pieces[random.IntN(len(pieces))]
			switch random.IntN(3) {
			case 0:
				text = text[:at] + piece + text[at:]
			case 1:
				text = text[:at] + piece + text[min(at+1, len(text)):]
			default:
				text = text[:at] + text[min(at+1+random.IntN(4), len(text)):]
			}
		}
		texts[i] = []byte(text)
	}
	compareWithClient(t, texts)
	compareRewritten(t, texts)
}
