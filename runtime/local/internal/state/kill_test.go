package state

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the test binary be the writer that TestAcknowledgedWritesSurviveAKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STATE_TEST_WRITER"); dir != "" {
		writeForEver(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// writeForEver says each key once it has been written.
func writeForEver(dir string) {
	d, err := Open(dir, Limits{}, nil)
	if err != nil {
		panic(err)
	}
	if err := d.CreateBucket("b"); err != nil && err != ErrExists {
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
				mu.Lock()
				fmt.Println(w, key)
				mu.Unlock()
			}
		}()
	}
	select {}
}

func TestAcknowledgedWritesSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]int{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "STATE_TEST_WRITER="+dir, fmt.Sprint("STATE_TEST_ROUND=", round))
		out, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var w int
			var key string
			if _, err := fmt.Sscan(lines.Text(), &w, &key); err != nil || !strings.HasPrefix(key, fmt.Sprint(round)) {
				break // a line that the kill cut
			}
			acknowledged[key] = w
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
		if got := get(t, d, "b", key); !bytes.Equal(got, bytes.Repeat([]byte(key), 1+w*3000)) {
			t.Errorf("%s: other bytes", key)
		}
	}
	large, all := 0, 0
	ok(t, d.Objects("b", "", "", func(o Object) (string, bool) {
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
