package local

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The log is rotated at its maximum size, and Logs can follow it.
func TestLogRotatesAndIsFollowed(t *testing.T) {
	dir := t.TempDir()
	w, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.max = 2000
	log := w.logger()
	for n := range 40 {
		log.Info("request", "service", "s3", "method", "GET", "path", "/b/\x1b[31m"+strconv.Itoa(n), "status", 200, "duration_ns", 1)
	}
	for _, name := range []string{logFile, logFile + ".1"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() > w.max {
			t.Error(name, st, err)
		}
	}
	var out bytes.Buffer
	if err := Logs(t.Context(), dir, LogOptions{Lines: 3}, &out); err != nil || strings.Count(out.String(), "\n") != 3 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%q %v", out.String(), err)
	}
	r, pipe := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- Logs(ctx, dir, LogOptions{Follow: true, Lines: 0}, pipe) }()
	got := make(chan string, 1)
	go func() {
		line := make([]byte, 4096)
		n, _ := r.Read(line)
		got <- string(line[:n])
	}()
	again := time.NewTicker(10 * time.Millisecond) // lines written before Logs follows the file are not shown
	defer again.Stop()
	end := time.After(time.Minute)
	for line := ""; line == ""; {
		select {
		case line = <-got:
			if !strings.HasSuffix(line, "after x=1\n") {
				t.Error(line)
			}
		case <-again.C:
			log.Info("after", "x", 1)
		case <-end:
			t.Fatal("Logs did not write the new line")
		}
	}
	_ = r.Close()
	cancel() // following ends with an interrupt, which is not an error
	if err := <-followed; err != nil {
		t.Error(err)
	}
	_ = w.Close()
	if reqs, err := Requests(dir); err != nil || len(reqs) == 0 {
		t.Error(reqs, err)
	}
}

// Paths may contain characters that change the text direction or break the line in a terminal. The readable log does
// not contain such characters.
func TestReadableLogEscapesPaths(t *testing.T) {
	dir := t.TempDir()
	w, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.logger().Info("request", "service", "s3", "method", "GET", "path", "/b/\u202etxt.exe\u2066\u2028x\u200b", "status", 401, "duration_ns", 1)
	w.logger().Info("other", "path", "\u202e")
	var out bytes.Buffer
	if err := Logs(t.Context(), dir, LogOptions{Lines: 3}, &out); err != nil || strings.ContainsAny(out.String(), "\u202e\u2066\u2028\u200b") || !strings.Contains(out.String(), "txt.exe") {
		t.Errorf("%q %v", out.String(), err)
	}
}

func TestRawLogsAreJSONLines(t *testing.T) {
	dir := t.TempDir()
	w, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.logger().Info("request", "path", "/b/\x1b[31m", "status", 200)
	if err := os.WriteFile(filepath.Join(dir, stderrFile), []byte("panic: \"no\"\n\tat x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := RawLogs(t.Context(), dir, LogOptions{Lines: 10}, &out); err != nil {
		t.Fatal(err)
	}
	messages := []string{}
	for line := range strings.Lines(out.String()) {
		var rec struct {
			Msg    string `json:"msg"`
			Path   string `json:"path"`
			Status int    `json:"status"`
		}
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		messages = append(messages, rec.Msg)
		if rec.Msg == "request" && (rec.Path != "/b/\x1b[31m" || rec.Status != 200) {
			t.Errorf("%q", line)
		}
	}
	if want := []string{"request", `panic: "no"`, "at x"}; !slices.Equal(messages, want) {
		t.Errorf("%q, want %q", messages, want)
	}
}
