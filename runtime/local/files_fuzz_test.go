package local

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFiles reads arbitrary data as the files of the endpoint's directory: the description of the endpoint, its log and
// its stderr. The readable log contains no control characters, and each line of the raw log is valid JSON.
func FuzzFiles(f *testing.F) {
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"request","service":"s3","method":"GET","path":"/a` + `\u001b[2J` + `","status":200,"duration_ns":1e99}` + "\n"))
	f.Add([]byte(`{"endpoint":"https://127.0.0.1:1","pid":1,"token":"t"}`))
	f.Add([]byte("null\n[]\n{\"msg\":null}\n\x1b]0;x\x07\npanic: x\n"))
	f.Add([]byte(`{"pid":"x"}`))
	f.Add([]byte(`{"pid":-1,"endpoint":"file:///etc/passwd","ca_file":"/dev/null"}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{infoFile, logFile, stderrFile} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = readInfo(dir)
		_, _ = Requests(dir)
		var plain, raw bytes.Buffer
		if err := Logs(context.Background(), dir, LogOptions{Lines: 1000}, &plain); err != nil {
			t.Error(err)
		}
		for _, r := range plain.String() {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) {
				t.Errorf("the log of %q contains %q", data, r)
			}
		}
		if err := RawLogs(context.Background(), dir, LogOptions{Lines: 1000}, &raw); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(raw.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%q is not JSON", line)
			}
		}
	})
}
