package state

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the test binary the writer process that TestAcknowledgedWritesSurviveKill kills, if STATE_TEST_WRITER
// is set.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STATE_TEST_WRITER"); dir != "" {
		writeForever(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// writeForever prints each key after it has been written, together with the new version of an object that is
// overwritten with the same bytes.
func writeForever(dir string) {
	d, err := Open(dir, Limits{}, nil)
	if err != nil {
		panic(err)
	}
	if err := d.CreateBucket("b"); err != nil && err != ErrExists {
		panic(err)
	}
	if err := d.CreateBucket("v"); err != nil && err != ErrExists {
		panic(err)
	}
	if err := d.SetVersioning("v", Enabled); err != nil {
		panic(err)
	}
	var mu sync.Mutex
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%s-%d-%d", os.Getenv("STATE_TEST_ROUND"), w, i)
				data := bytes.Repeat([]byte(key), 1+w*3000)
				if _, err := d.Put("b", Object{Key: key}, bytes.NewReader(data), int64(len(data)), allow); err != nil {
					panic(err)
				}
				o, err := d.Put("v", Object{Key: "same"}, bytes.NewReader(data), int64(len(data)), allow)
				if err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println(w, key, o.Version)
				mu.Unlock()
			}
		}()
	}
	select {}
}

func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged, versions := map[string]int{}, map[string]string{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "STATE_TEST_WRITER="+dir, fmt.Sprint("STATE_TEST_ROUND=", round))
		out, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var w int
			var key, version string
			if _, err := fmt.Sscan(lines.Text(), &w, &key, &version); err != nil || !strings.HasPrefix(key, fmt.Sprint(round)) || len(version) != 16 {
				break // a line truncated by the kill
			}
			acknowledged[key], versions[key] = w, version
			if n == 40+30*round {
				ok(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait()
	}
	if len(acknowledged) < 150 {
		t.Fatalf("only %d writes", len(acknowledged))
	}
	d := open(t, dir, Limits{}, nil)
	for key, w := range acknowledged {
		want := bytes.Repeat([]byte(key), 1+w*3000)
		if got := get(t, d, "b", key); !bytes.Equal(got, want) {
			t.Errorf("%s: the content differs", key)
		}
		_, r, err := d.Open("v", "same", versions[key], wholeObject)
		ok(t, err)
		if got := must[[]byte](t)(io.ReadAll(r)); !bytes.Equal(got, want) {
			t.Errorf("version %s: the content differs", versions[key])
		}
		ok(t, r.Close())
	}
	large, all := 0, 0
	ok(t, d.Objects("b", "", "", func(o Object) (string, bool) {
		all++
		if o.Blob != "" {
			large++
		}
		return "", true
	}))
	ok(t, d.Versions("v", "", "", "", func(o Object) (string, bool) {
		all++
		if o.Blob != "" {
			large++
		}
		return "", true
	}))
	if n := blobs(t, dir); n != large {
		t.Errorf("%d files for %d large of %d objects", n, large, all)
	}
}
