package actionproxy_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io/fs"
	"strings"
	"testing"
)

type entry struct {
	name, text string
	mode       fs.FileMode
}

func archive(t *testing.T, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode | 0o600)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(e.text))
	}
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

const noBinary = `{"error": "The action failed to generate or locate a binary. See logs for details."}`

func TestInitTable(t *testing.T) {
	ok := "def main(a):\n import sys\n return {'ok': 1}"
	cases := []struct {
		name   string
		body   any
		status int
		want   string
		log    string
	}{
		{"source", initBody(ok, false), 200, "", ""},
		{"zip", initBody(archive(t, entry{"__main__.py", "from lib.x import f\ndef main(a):\n return {'ok': f()}", 0}, entry{"lib/x.py", "def f(): return 1", 0}), true), 200, "", ""},
		{"another main", map[string]any{"value": map[string]any{"main": "Tool.go", "code": "class Tool:\n @staticmethod\n def go(a): return {'ok': 1}"}}, 200, "", ""},
		{"virtualenv", initBody(archive(t, entry{"__main__.py", "import os\ndef main(a):\n return {'ok': int(os.environ['ACTIVE'])}", 0}, entry{"virtualenv/bin/activate_this.py", "import os\nos.environ['ACTIVE'] = '1'", 0}), true), 200, "", ""},
		{"virtualenv without activation", initBody(archive(t, entry{"__main__.py", ok, 0}, entry{"virtualenv/x", "", 0}), true), 502, noBinary, "Invalid virtualenv"},
		{"no code", map[string]any{"value": map[string]any{}}, 502, noBinary, ""},
		{"value a list", `{"value": [1]}`, 404, "", ""},
		{"not JSON", `{`, 404, "", ""},
		{"syntax error", initBody("def main(a:", false), 502, noBinary, "SyntaxError"},
		{"no main", initBody("x = 1", false), 502, noBinary, "The action has no function 'main'."},
		{"missing module", initBody("import nothing_of_that_name", false), 502, noBinary, "No module named 'nothing_of_that_name'"},
		{"exits", initBody("import sys; sys.exit(0)", false), 502, noBinary, "SystemExit"},
		{"not base64", initBody("!", true), 502, noBinary, ""},
		{"not a zip", initBody("AAAA", true), 502, noBinary, "BadZipFile"},
		{"no __main__.py", initBody(archive(t, entry{"x.py", "", 0}), true), 502, noBinary, "Zip file does not include __main__.py"},
		{"zip has a parent directory", initBody(archive(t, entry{"../x.py", "", 0}), true), 502, noBinary, "outside of its directory"},
		{"zip has a parent directory with backslashes", initBody(archive(t, entry{`a\..\..\x.py`, "", 0}), true), 502, noBinary, "outside of its directory"},
		{"zip has an absolute path", initBody(archive(t, entry{"/x.py", "", 0}), true), 502, noBinary, "outside of its directory"},
		{"zip has a link", initBody(archive(t, entry{"x", "/etc/passwd", fs.ModeSymlink}), true), 502, noBinary, "a link or a device"},
		{"zip has a device", initBody(archive(t, entry{"x", "", fs.ModeDevice}), true), 502, noBinary, "a link or a device"},
	}
	eachPython(t, func(t *testing.T, python string) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				p := start(t, python)
				status, body := p.post("/init", c.body)
				if status != c.status || c.want != "" && body != c.want {
					t.Fatalf("init: %d %s\n%s", status, body, p.read(p.err))
				}
				if c.status == 200 {
					if status, body := p.post("/run", run(none)); status != 200 || body != `{"ok": 1}` {
						t.Errorf("run: %d %s\n%s", status, body, p.read(p.err))
					}
					if status, body := p.post("/init", c.body); status != 403 || body != `{"error": "Cannot initialize the action more than once."}` {
						t.Errorf("second init: %d %s", status, body)
					}
					return
				}
				if log := p.read(p.err); !strings.Contains(log, c.log) || !strings.HasSuffix(log, sentinel) {
					t.Errorf("stderr %q", log)
				}
				if status, body := p.post("/init", initBody(ok, false)); status != 200 { // a failed /init may be retried
					t.Errorf("init again: %d %s\n%s", status, body, p.read(p.err))
				}
			})
		}
	})
}
