package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// LogOptions selects lines of the endpoint's log.
type LogOptions struct {
	Follow bool // continue until ctx ends
	Lines  int  // how many of the last existing lines to write
	Failed bool // only failed requests, warnings and errors
}

// Logs writes lines of the endpoint's log in dir to w.
func Logs(ctx context.Context, dir string, o LogOptions, w io.Writer) error {
	return show(ctx, dir, o, w, readable)
}

// RawLogs writes the same lines in the format of the log: a JSON object on each line. A line that is not a JSON object,
// such as the output of a crash, becomes the "msg" of an object.
func RawLogs(ctx context.Context, dir string, o LogOptions, w io.Writer) error {
	return show(ctx, dir, o, w, func(line []byte) string {
		line = bytes.TrimSpace(line)
		if !json.Valid(line) || !bytes.HasPrefix(line, []byte("{")) {
			line, _ = json.Marshal(map[string]string{"msg": string(line)})
		}
		return string(line) + "\n"
	})
}

func show(ctx context.Context, dir string, o LogOptions, w io.Writer, format func(line []byte) string) error {
	filtered := func(line []byte) string {
		if o.Failed && !failed(line) {
			return ""
		}
		return format(line)
	}
	err := logs(ctx, dir, o, w, filtered)
	if o.Follow && ctx.Err() != nil {
		return nil
	}
	return fault.During(i18n.M("Reading the log of the local endpoint"), err)
}

// failed reports whether a line is a failed request, a warning or an error. It returns true for lines that are not
// JSON, because those were not written by the endpoint's logger.
func failed(line []byte) bool {
	var rec struct {
		Level  slog.Level `json:"level"`
		Status int        `json:"status"`
	}
	return json.Unmarshal(line, &rec) != nil || rec.Status >= 400 || rec.Level >= slog.LevelWarn
}

func logs(ctx context.Context, dir string, o LogOptions, w io.Writer, format func(line []byte) string) error {
	path := filepath.Join(dir, logFile)
	keep := func([]byte) bool { return true }
	if o.Failed {
		keep = failed
	}
	last, offset, err := tail(path, o.Lines, keep)
	if errors.Is(err, os.ErrNotExist) && !o.Follow {
		return fault.New(fault.NotFound,
			i18n.M("The local endpoint has no log because it has never run."),
			i18n.M("Start the endpoint with 'ibmcloud fn-runtime local start'."))
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, line := range last {
		if _, err := io.WriteString(w, format(line)); err != nil {
			return err
		}
	}
	if !o.Follow {
		return lastStderr(dir, w, format)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if offset, err = more(path, offset, w, format); err != nil {
			return err
		}
	}
}

// tail returns the last n lines for which keep returns true, from the current and the previous log. end is the offset
// after the last complete line of the current log.
func tail(path string, n int, keep func(line []byte) bool) (lines [][]byte, end int64, err error) {
	for _, name := range []string{path + ".1", path} {
		f, openErr := os.Open(name)
		if openErr != nil {
			err = openErr
			continue
		}
		err, end = nil, 0
		r := bufio.NewReader(f)
		for {
			line, readErr := r.ReadBytes('\n')
			if readErr != nil {
				break // a line without a line end is still being written
			}
			end += int64(len(line))
			if !keep(line) {
				continue
			}
			if lines = append(lines, line); len(lines) > 2*n+64 {
				lines = append([][]byte(nil), lines[len(lines)-n:]...)
			}
		}
		_ = f.Close()
	}
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return lines, end, err
}

// more writes the lines after offset and returns the new offset. If the log was rotated, more starts at the beginning
// of the new log.
func more(path string, offset int64, w io.Writer, format func(line []byte) string) (int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return offset, err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() < offset {
		offset = 0
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return offset, err
	}
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return offset, nil // the rest of the line is not written yet
		}
		offset += int64(len(line))
		if _, err := io.WriteString(w, format(line)); err != nil {
			return offset, err
		}
	}
}

// lastStderr writes the output of a crash, if there is any.
func lastStderr(dir string, w io.Writer, format func(line []byte) string) error {
	f, err := os.Open(filepath.Join(dir, stderrFile))
	if err != nil {
		return nil // the file does not exist
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 64<<10))
	for lines.Scan() {
		if _, err := io.WriteString(w, format(lines.Bytes())); err != nil {
			return err
		}
	}
	return nil
}

// readable converts a JSON line to readable text: time, level and message, then the other fields in the order of their
// names. Requests are formatted like the access log of a web server.
func readable(line []byte) string {
	var rec map[string]any
	if json.Unmarshal(line, &rec) != nil {
		return text.Printable(strings.TrimSpace(string(line))) + "\n"
	}
	when, _ := rec["time"].(string)
	if t, err := time.Parse(time.RFC3339Nano, when); err == nil {
		when = t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if rec["msg"] == "request" {
		query, _ := rec["query"].(string)
		if query != "" {
			query = "?" + query
		}
		ns, _ := rec["duration_ns"].(float64)
		agent, _ := rec["user_agent"].(string)
		agent, _, _ = strings.Cut(agent, " ") // the rest describes components of the client
		return text.Printable(fmt.Sprintf("%s %v %v %v%v %v %.1fms %v",
			when, rec["service"], rec["method"], rec["path"], query, rec["status"], ns/1e6, agent)) + "\n"
	}
	msg := rec["msg"]
	level := rec["level"]
	for _, name := range []string{"time", "level", "msg"} {
		delete(rec, name)
	}
	names := make([]string, 0, len(rec))
	for name := range rec {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v %v", when, level, msg)
	for _, name := range names {
		fmt.Fprintf(&b, " %s=%v", name, rec[name])
	}
	return text.Printable(b.String()) + "\n"
}
