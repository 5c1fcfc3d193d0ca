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

// archive is a zip of an action and of a file of zeros, as exec.code.
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

// TestArchiveNeedsRoomOnTheDisk has archives of some 60 KB that become 50 MB.
func TestArchiveNeedsRoomOnTheDisk(t *testing.T) {
	left, most := int64(60<<20), int64(0)
	v := newProcess(t, Options{Room: func(n int64) (func(), error) {
		if n > left {
			return nil, errors.New("full")
		}
		most = max(most, n)
		left -= n
		return func() { left += n }, nil
	}})
	large := action(archive(t, 50<<20))
	large.Binary = true
	if o := mustRun(t, v, large); o.Status != invoke.Success {
		t.Errorf("with room: %s %v", o.Result, o.Logs)
	}
	if most < 50<<20 || left != 60<<20 {
		t.Errorf("%d bytes were reserved at most and %d are left afterwards", most, left)
	}
	left = 40 << 20
	large.Revision = "another"
	if o := mustRun(t, v, large); o.Status != invoke.DeveloperError || !strings.Contains(string(o.Result), "disk") {
		t.Errorf("without room: %s %s", o.Status, o.Result)
	}
}

func TestUnreadableArchiveMayTakeAll(t *testing.T) {
	for _, code := range []string{"!", "AAAA"} {
		if got := unpacked(true, code); got != mostUnpacked {
			t.Errorf("%q takes %d bytes, not %d", code, got, int64(mostUnpacked))
		}
	}
}
