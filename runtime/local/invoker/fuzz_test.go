package invoker

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// FuzzOutcome converts arbitrary proxy responses to outcomes. The result is always a JSON object, and it contains an
// error exactly if the activation failed.
func FuzzOutcome(f *testing.F) {
	for _, seed := range []string{`{}`, `{"error": 1}`, `[]`, `null`, `{"a":1}{`, "\xff", `{"error":"\ud800"}`} {
		f.Add(200, []byte(seed))
		f.Add(502, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r := response{status: status, body: body, size: int64(len(body))}
		for _, o := range []struct {
			result json.RawMessage
			ok     bool
		}{{runOutcome(r).Result, runOutcome(r).Status == "success"}, {initFailure(r).Result, false}} {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(o.result, &fields); err != nil || fields == nil {
				t.Fatalf("%d %q: %s", status, body, o.result)
			}
			if _, failed := fields["error"]; failed == o.ok {
				t.Fatalf("%d %q: %s", status, body, o.result)
			}
		}
	})
}

// FuzzLogs reads arbitrary output. Reading ends, the log stays within its limit, and each line has OpenWhisk's format.
func FuzzLogs(f *testing.F) {
	for _, seed := range []string{"a\nb", sandbox.Sentinel, "x" + sandbox.Sentinel + "\ny\n", "\r\n\xff\x00\n", strings.Repeat("z", 100000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, output []byte) {
		l := sandbox.NewLogs(func() time.Time { return time.Unix(0, 0) }, 1000)
		l.Follow("stdout", strings.NewReader(string(output)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		l.Wait(ctx)
		if ctx.Err() != nil {
			t.Fatal("reading the output does not end")
		}
		size := 0
		for _, line := range l.Take() {
			if !strings.HasPrefix(line, "1970-01-01T00:00:00.000000000Z std") {
				t.Fatal(line)
			}
			size += len(line) - len("1970-01-01T00:00:00.000000000Z stdout: ") + 1
		}
		if size > 4*1000+200 { // bytes that are not UTF-8 are replaced by longer sequences
			t.Fatalf("the log has %d bytes", size)
		}
	})
}
