package actionproxy_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/actionproxy"
)

// driver passes inputs to the proxy's functions in one Python process. See testdata/drive.py.
type driver struct {
	in  io.Writer
	out *bufio.Scanner
	cmd *exec.Cmd
}

type result struct {
	OK        bool   `json:"ok"`
	Text      string `json:"text"`
	Violation string `json:"violation"`
}

func startDriver(t testing.TB) *driver {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, actionproxy.Name)
	if err := os.WriteFile(file, actionproxy.Source(), 0o600); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	d := &driver{cmd: exec.Command("python3", filepath.Join("testdata", "drive.py"), file, work)}
	d.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
	d.cmd.Stderr = os.Stderr
	in, err := d.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal("cannot start Python 3: ", err)
	}
	d.in, d.out = in, bufio.NewScanner(out)
	d.out.Buffer(nil, 64<<20)
	t.Cleanup(func() {
		in.Close()
		d.cmd.Process.Kill()
		d.cmd.Wait()
	})
	return d
}

func (d *driver) send(t *testing.T, request map[string]string) result {
	t.Helper()
	late := time.AfterFunc(60*time.Second, func() { d.cmd.Process.Kill() })
	defer late.Stop()
	line, _ := json.Marshal(request)
	d.in.Write(append(line, '\n'))
	var got result
	if !d.out.Scan() {
		t.Fatalf("the proxy ended or took more than a minute: %v", d.out.Err())
	}
	if err := json.Unmarshal(d.out.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", d.out.Bytes(), err)
	}
	if got.Violation != "" {
		t.Fatal(got.Violation)
	}
	return got
}

// zipOf creates an archive with one entry. mode is the upper half of the external attributes, as set on Unix.
func zipOf(name string, mode uint16, content []byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, CreatorVersion: 3 << 8, ExternalAttrs: uint32(mode) << 16})
	if err == nil {
		f.Write(content)
	}
	w.Close()
	return b.Bytes()
}

func (d *driver) unzip(t *testing.T, data []byte) result {
	t.Helper()
	return d.send(t, map[string]string{"zip": base64.StdEncoding.EncodeToString(data)})
}

// Hostile archives are rejected, and nothing is written outside of the directory.
func TestUnzipRefuses(t *testing.T) {
	d := startDriver(t)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"parent":                  {zipOf("../x", 0, nil), "outside of its directory"},
		"parent in the middle":    {zipOf("a/../../x", 0, nil), "outside of its directory"},
		"parent at the end":       {zipOf("a/..", 0, nil), "outside of its directory"},
		"parent with backslashes": {zipOf(`a\..\x`, 0, nil), "outside of its directory"},
		"absolute":                {zipOf("/etc/x", 0, nil), "outside of its directory"},
		"absolute, twice":         {zipOf("//x", 0, nil), "outside of its directory"},
		"absolute, backslash":     {zipOf(`\x`, 0, nil), "outside of its directory"},
		"a zero byte":             {zipOf("a\x00/../x", 0, nil), "outside of its directory"},
		"symbolic link":           {zipOf("x", 0o120777, []byte("/etc/passwd")), "a link or a device"},
		"character device":        {zipOf("x", 0o020666, nil), "a link or a device"},
		"block device":            {zipOf("x", 0o060666, nil), "a link or a device"},
		"pipe":                    {zipOf("x", 0o010666, nil), "a link or a device"},
		"socket":                  {zipOf("x", 0o140666, nil), "a link or a device"},
		"bomb":                    {zipOf("x", 0, make([]byte, 4<<20)), "too large when unpacked"},
		"bomb of many":            {zipOfMany(200, 0), "too large when unpacked"},
		"bomb of overlaps":        {zipOfMany(50, 64<<10), "too large when unpacked"},
		"bomb, false size":        {withFalseSize(zipOf("x", 0, make([]byte, 4<<20)), 10), ""},
		"truncated":               {zipOf("x", 0, []byte("text"))[:30], ""},
		"not an archive":          {[]byte("#!/bin/sh"), ""},
		"empty":                   {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := d.unzip(t, c.data); got.OK || !strings.Contains(got.Text, c.want) {
				t.Errorf("got %+v, want a rejection with %q", got, c.want)
			}
		})
	}
	for name, data := range map[string][]byte{
		"file": zipOf("a/b.py", 0o100644, []byte("x")), "set-user-ID": zipOf("x", 0o106755, []byte("x")), "directory": zipOf("a/", 0o040755, nil),
		"dots in names": zipOf("a..b/...", 0, nil), "at the limit": zipOf("x", 0, make([]byte, 1<<20)), "a drive": zipOf("C:x", 0, nil),
	} {
		if got := d.unzip(t, data); !got.OK {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// zipOfMany returns an archive with n entries of size bytes each.
func zipOfMany(n, size int) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range n {
		f, _ := w.Create(strings.Repeat("a", i+1))
		f.Write(make([]byte, size))
	}
	w.Close()
	return b.Bytes()
}

// withFalseSize changes the uncompressed size in the central directory, from which readers take it.
func withFalseSize(data []byte, size uint32) []byte {
	at := bytes.LastIndex(data, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(data[at+24:], size)
	return data
}

// FuzzUnzip unpacks archives: raw data, or one entry with any name, mode and content.
func FuzzUnzip(f *testing.F) {
	for _, name := range []string{"__main__.py", "../x", "/x", `a\..\..\x`, "a/b/c", "C:x", "a\x00b", ".", ""} {
		f.Add(name, uint16(0o100644), []byte("text"), []byte{})
	}
	f.Add("link", uint16(0o120777), []byte("/etc/passwd"), []byte{})
	f.Add("", uint16(0), []byte{}, zipOfMany(3, 10))
	f.Add("", uint16(0), []byte{}, withFalseSize(zipOf("x", 0, make([]byte, 1000)), 10))
	d := startDriver(f)
	f.Fuzz(func(t *testing.T, name string, mode uint16, content, raw []byte) {
		if len(raw) > 0 {
			d.unzip(t, raw)
			return
		}
		got := d.unzip(t, zipOf(name, mode, content))
		kind := mode & 0o170000
		escapes := false
		for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }) {
			escapes = escapes || part == ".."
		}
		if got.OK && (escapes || strings.HasPrefix(name, "/") || kind != 0 && kind != 0o100000 && kind != 0o040000) {
			t.Errorf("%q with mode %o was unpacked", name, mode)
		}
	})
}

// FuzzInit sends any body to /init, followed by a run if it succeeds, and sends the same body to /run.
func FuzzInit(f *testing.F) {
	code := base64.StdEncoding.EncodeToString(zipOf("__main__.py", 0, []byte("def main(a): return a")))
	for _, body := range []string{
		`{"value":{"name":"a","main":"main","code":"def main(a): return a","binary":false,"env":{"A":"b","N":3}}}`,
		`{"value":{"main":"Tool.go","code":"` + code + `","binary":true}}`,
		`{"value":{"main":["main"],"code":"x","env":[1]}}`, `{"value":{"code":"x","env":{"A=B":"c","":"d","N\u0000":"e"}}}`,
		`{"value":{"code":"x","main":"value"}}`, `{"value":{"code":"x","main":"__class__.__base__"}}`, `{"value":{"code":"\ud800"}}`,
		`{"value":{"code":1}}`, `{"value":null}`, `null`, `[]`, `{"value":{"a":1},"deadline":"9","activation_id":null,"x=y":{}}`,
		`{"value":{},"deadline":1e400,"a":"\ud800"}`, strings.Repeat(`{"value":`, 50) + strings.Repeat("}", 50),
	} {
		f.Add([]byte(body))
	}
	d := startDriver(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		encoded := base64.StdEncoding.EncodeToString(body)
		for _, path := range []string{"/init", "/run"} {
			got := d.send(t, map[string]string{"path": path, "body": encoded})
			var fields map[string]any
			if err := json.Unmarshal([]byte(got.Text), &fields); err != nil {
				t.Errorf("%s: %s", path, got.Text)
			}
		}
	})
}
