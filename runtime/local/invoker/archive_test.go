package invoker

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"fn-runtime/runtime/local/invoke"
)

// archive returns a zip archive, as base64 for exec.code, that contains an action and a file of zeros.
func archive(t *testing.T, zeros int) string {
	t.Helper()
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	for name, data := range map[string][]byte{"__main__.py": []byte("def main(a):\n return {}"), "zeros": make([]byte, zeros)} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(buffer.Bytes())
}

// The disk space for an action is its unpacked size: an archive of about 60 KB here unpacks to 50 MB.
func TestUnpackedArchiveRequiresDiskSpace(t *testing.T) {
	free, reserved := int64(60<<20), int64(0)
	v := newProcess(t, Options{ReserveDisk: func(n int64) (func(), error) {
		if n > free {
			return nil, errors.New("full")
		}
		reserved = max(reserved, n)
		free -= n
		return func() { free += n }, nil
	}})
	large := action(archive(t, 50<<20))
	large.Binary = true
	if o := mustRun(t, v, large); o.Status != invoke.Success {
		t.Errorf("with enough disk space: %s %v", o.Result, o.Logs)
	}
	if reserved < 50<<20 || free != 60<<20 {
		t.Errorf("%d bytes were reserved and %d bytes are free afterwards, want at least %d and exactly %d", reserved, free, 50<<20, 60<<20)
	}
	free = 40 << 20
	large.Revision = "another"
	if o := mustRun(t, v, large); o.Status != invoke.DeveloperError || !strings.Contains(string(o.Result), "disk") {
		t.Errorf("without enough disk space: %s %s", o.Status, o.Result)
	}
}

// The size of an archive that cannot be read is unknown, so the maximum is reserved.
func TestUnreadableArchiveReservesMaximum(t *testing.T) {
	for _, code := range []string{"!", "AAAA"} {
		if got := unpackedSize(true, code); got != maxUnpacked {
			t.Errorf("%q needs %d bytes, want %d", code, got, int64(maxUnpacked))
		}
	}
}
