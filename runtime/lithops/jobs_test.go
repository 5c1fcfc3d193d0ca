package lithops

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseJobKey(t *testing.T) {
	const id = "7157f484ac9776a0cf3d7646690df765"
	for key, want := range map[string]JobObject{
		"lithops.jobs/0f8c0c-0-M000/00003/status.json":              {Job: "0f8c0c-0-M000", Call: "00003", Status: true},
		"lithops.jobs/0f8c0c-0-M000/00003/" + id + ".init":          {Job: "0f8c0c-0-M000", Call: "00003", Activation: id},
		"lithops.jobs/0f8c0c-0-M000-00003-0-A001/00000/status.json": {Job: "0f8c0c-0-M000-00003-0-A001", Call: "00000", Status: true}, // job of an executor inside a call
		"lithops.jobs/0f8c0c-0-M000/00003/output.pickle":            {},
		"lithops.jobs/0f8c0c-0/421519.func.pickle":                  {},
		"lithops.jobs/0f8c0c-0-M000/aggdata.pickle":                 {},
		"lithops.jobs/0f8c0c-0-M000/3/status.json":                  {},
		"lithops.jobs/../00003/status.json":                         {},
		"lithops.jobs/0f8c0c-0-M000/00003/\x1b.init":                {},
		"other/0f8c0c-0-M000/00003/status.json":                     {},
	} {
		got, ok := ParseJobKey(key)
		if ok != (want != JobObject{}) || ok && got != want {
			t.Errorf("%q: got %+v, %v; want %+v", key, got, ok, want)
		}
	}
	for name, want := range map[string]string{
		"lithops-0f8c0c-0-m000": "0f8c0c-0-M000", "lithops-runtime-metadata": "", "lithops-0f8c0c-0-M000": "", "fn-runtime-x-m000": "", "lithops-": "",
	} {
		if got := JobOfRun(name); got != want {
			t.Errorf("JobOfRun(%q): got %q, want %q", name, got, want)
		}
	}
}

// A worker with several calls runs them one after another or in parallel. In parallel, their lines are interleaved.
func TestReadLogWithSeveralCalls(t *testing.T) {
	read := func(workers string) []LoggedCall {
		var lines []Line
		for i, s := range []string{
			"2026-11-28 09:56:00,836 [INFO] handler.py:250 -- Tasks received: 2 - Worker processes: " + workers,
			"2026-11-28 09:56:00,837 [INFO] handler.py:486 -- Execution ID: 0f8c0c-0-M000/00000",
			"2026-11-28 09:56:00,879 [INFO] jobrunner.py:381 -- Going to execute 'slowly()'",
			"Execution ID: 0f8c0c-0-M000/00009", // output of a function, not of the worker
			"----------------------- EXCEPTION !-----------------------",
			"Traceback (most recent call last):",
			"ValueError: no",
			"----------------------------------------------------------",
			"2026-11-28 09:56:00,925 [INFO] handler.py:621 -- Finished",
			"2026-11-28 09:56:01,837 [INFO] handler.py:486 -- Execution ID: 0f8c0c-0-M000/00001",
			"2026-11-28 09:56:02,925 [INFO] handler.py:621 -- Finished",
		} {
			lines = append(lines, ParseLine(time.Unix(int64(i), 0).UTC().Format(time.RFC3339Nano)+" stdout: "+s))
		}
		return ReadLog(lines, "", "")
	}
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	want := []LoggedCall{
		{Job: "0f8c0c-0-M000", Call: "00000", Function: "slowly", Started: at(1), Ended: at(8), Raised: true, Error: "ValueError: no", Lines: []int{1, 2, 3, 4, 5, 6, 7, 8}},
		{Job: "0f8c0c-0-M000", Call: "00001", Started: at(9), Ended: at(10), Lines: []int{9, 10}},
	}
	if diff := cmp.Diff(want, read("1")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := read("2"); !got[0].Interleaved || !got[1].Interleaved {
		t.Errorf("got %+v; want two interleaved calls", got)
	}
}

// Messages of a worker about its own work are distinguished from the output of a function, which may have the same
// format.
func TestReadLogMarksWorkerLines(t *testing.T) {
	for name, tc := range map[string]struct {
		log  string
		want string // "w" for each line of the worker, "." for other lines
	}{
		"a call": {`[INFO] main__.py:43 -- Lithops v3.8.0 - Starting OpenWhisk execution
2026-11-28 09:56:00,836 [INFO] handler.py:250 -- Tasks received: 1 - Worker processes: 1
2026-11-28 09:56:00,836 [DEBUG] lithops.worker.handler -- of an older release
2026-11-28 09:56:00,879 [WARNING] handler.py:250 -- something is wrong
---------------------- FUNCTION LOG ----------------------
2026-11-28 09:56:00,879 [INFO] mine.py:3 -- message of the function
hello
----------------------- EXCEPTION !-----------------------
ValueError: no
----------------------------------------------------------
2026-11-28 09:56:00,925 [INFO] handler.py:621 -- Finished
[INFO] not in the format of a worker`, "www.w..w.ww."},
		"interleaved calls": {`2026-11-28 09:56:00,836 [INFO] handler.py:250 -- Tasks received: 2 - Worker processes: 2
---------------------- FUNCTION LOG ----------------------
---------------------- FUNCTION LOG ----------------------
----------------------------------------------------------
2026-11-28 09:56:00,879 [INFO] mine.py:3 -- message of the second function
----------------------------------------------------------`, ".www.w"},
	} {
		var lines []Line
		for text := range strings.Lines(tc.log) {
			lines = append(lines, Line{Text: strings.TrimSuffix(text, "\n")})
		}
		ReadLog(lines, "", "")
		got := ""
		for _, l := range lines {
			got += map[bool]string{true: "w", false: "."}[l.Worker]
		}
		if got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// The log in a status object may have any size and content.
func TestInflateLogKeepsLastLines(t *testing.T) {
	lines := inflateLog(pack(t, strings.Repeat("x\n", 5000)+strings.Repeat("y", 10_000)+"\nlast \x1b[31m\n"))
	if len(lines) != maxLogLines || lines[len(lines)-1] != `last \x1b[31m` || len(lines[len(lines)-2]) > maxLogLine+10 {
		t.Errorf("got %d lines, the last %q", len(lines), lines[max(0, len(lines)-1):])
	}
	if bomb := inflateLog(pack(t, strings.Repeat("\x00", 64<<20))); len(strings.Join(bomb, "")) > maxLog {
		t.Errorf("got %d bytes for 64 MiB of zeros, want at most the limit", len(strings.Join(bomb, "")))
	}
	for _, broken := range []string{"", "no base64", "eJw="} {
		if got := inflateLog(broken); !slices.Equal(got, nil) {
			t.Errorf("%q: got %q, want nothing", broken, got)
		}
	}
}

func pack(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
