package rest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/runtimetest"
)

// queueBytes is the QueueBytes of the test endpoint.
const queueBytes = 4 << 20

// rawRequest opens a connection and sends the header of a request and a possibly incomplete body.
func (f *fixture) rawRequest(method, path string, length int, body string) net.Conn {
	f.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(f.URL, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := fmt.Fprintf(c, "%s /api/v1%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, testToken, length, body); err != nil {
		f.t.Fatal(err)
	}
	return c
}

// largeAction returns the document of an action with size bytes of code.
func largeAction(size int) string {
	return `{"exec":{"kind":"blackbox","image":"img","code":"` + strings.Repeat("A", size) + `"}}`
}

// waitForFreeSlots waits until no request holds a slot.
func (f *fixture) waitForFreeSlots() {
	f.t.Helper()
	runtimetest.Eventually(f.t, "slow clients hold no slots", func() bool { return len(f.api.api.slotPool) == 0 })
}

// Clients that do not read large responses or do not finish their request bodies hold no slots, regardless of their
// number.
func TestSlowClientsHoldNoSlots(t *testing.T) {
	f := serve(t)
	f.deployActions("a")
	if status, body, _ := f.do("bearer", "PUT", "/namespaces/_/actions/p/big", largeAction(12<<20)); status != 200 {
		t.Fatal(status, body)
	}
	text := strings.Repeat("x", 1<<20)
	for i := range 8 {
		rec := state.Activation{ID: fmt.Sprintf("%032d", i), NamespaceID: testGUID, Namespace: "guest", Action: "a", Start: int64(i + 1), Logs: []string{text}, Result: json.RawMessage(`"` + text + `"`)}
		if err := f.db.Finish(rec); err != nil {
			t.Fatal(err)
		}
	}
	for range cap(f.api.api.slotPool) + 1 {
		f.rawRequest("GET", "/namespaces/_/actions/p/big", 0, "")
		f.rawRequest("GET", "/namespaces/_/activations?docs=true", 0, "")
		f.rawRequest("GET", "/namespaces/_/activations/"+fmt.Sprintf("%032d", 1), 0, "")
		f.rawRequest("PUT", "/namespaces/_/actions/p/half", 6<<20, largeAction(2 << 20)[:2<<20])
		f.rawRequest("POST", "/namespaces/_/actions/p/a", 3<<20, largeAction(1 << 20)[:1<<20])
	}
	time.Sleep(100 * time.Millisecond) // let the requests arrive
	f.waitForFreeSlots()
	for i := range 2 * cap(f.api.api.slotPool) {
		if status, body, _ := f.do("bearer", "PUT", fmt.Sprintf("/namespaces/_/actions/p/a%d", i), largeAction(256<<10)); status != 200 {
			t.Error(status, body)
		}
	}
	if status, body, header := f.do("bearer", "GET", "/namespaces/_/actions/p/big", ""); status != 200 || len(body) < 12<<20 || header.Get("Content-Length") != fmt.Sprint(len(body)) {
		t.Errorf("a large action: %d, %d bytes, Content-Length %s", status, len(body), header.Get("Content-Length"))
	}
	if status, body, _ := f.do("bearer", "GET", "/namespaces/_/activations?docs=true", ""); status != 200 || strings.Count(body, text) != 16 {
		t.Errorf("a list of activations: %d, %d bytes", status, len(body))
	}
}

// The files of buffered bodies and responses are removed when the requests end.
func TestBufferFilesAreRemoved(t *testing.T) {
	f := serve(t)
	f.deployActions("a")
	f.do("bearer", "PUT", "/namespaces/_/actions/p/big", largeAction(1<<20))
	f.do("bearer", "PUT", "/namespaces/_/actions/p/big", `{"exec":`+strings.Repeat(" ", 1<<20))
	f.do("bearer", "GET", "/namespaces/_/actions/p/big", "")
	f.do("bearer", "POST", "/namespaces/_/actions/p/a?blocking=true", `{"x":"`+strings.Repeat("x", 1<<20)+`"}`)
	f.Close()
	left, err := os.ReadDir(f.temp)
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// The parameters of queued activations are limited in bytes. Rejected requests get a Retry-After header.
func TestParametersOfQueuedActivationsAreBounded(t *testing.T) {
	f := serve(t)
	f.deployActions("hang")
	parameters := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	accepted := 0
	for range 10 {
		status, body, header := f.do("bearer", "POST", "/namespaces/_/actions/p/hang", parameters)
		switch {
		case status == http.StatusAccepted:
			accepted++
		case status != http.StatusTooManyRequests || header.Get("Retry-After") == "":
			t.Errorf("got %d %s, Retry-After %q", status, body, header.Get("Retry-After"))
		}
	}
	if accepted != queueBytes/len(parameters) {
		t.Errorf("%d of 10 invocations with %d bytes are accepted, want %d", accepted, len(parameters), queueBytes/len(parameters))
	}
	if status, _, _ := f.do("bearer", "POST", "/namespaces/_/actions/p/hang", `{}`); status != http.StatusAccepted {
		t.Errorf("a small invocation: %d", status)
	}
}

// A full disk does not prevent reading existing data.
func TestReadsOnFullDisk(t *testing.T) {
	f := serveWithin(t, state.Limits{FreeBytes: 1 << 60})
	text := strings.Repeat("x", 1<<20)
	rec := state.Activation{ID: strings.Repeat("1", 32), NamespaceID: testGUID, Namespace: "guest", Action: "a", Start: 1, Logs: []string{text}}
	if err := f.db.Finish(rec); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/namespaces/_/activations?docs=true", "/namespaces/_/activations/" + rec.ID} {
		if status, body, _ := f.do("bearer", "GET", path, ""); status != 200 || !strings.Contains(body, text) || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d, %d bytes", path, status, len(body))
		}
	}
	c := f.rawRequest("POST", "/namespaces/_/actions/p/a", 1<<20, largeAction(1 << 20)[:1<<20])
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusInsufficientStorage {
		t.Errorf("a large body: %v, %v", resp, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
}
