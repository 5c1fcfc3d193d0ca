package runtimetest

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// eventuallyTimeout is how long a test waits for an expected event. It is long because the machine may be busy.
const eventuallyTimeout = time.Minute

// Eventually waits until a condition holds and fails the test if it does not hold within a minute. what completes the
// message "not seen: ...".
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(eventuallyTimeout); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not seen within %s: %s", eventuallyTimeout, what)
		}
	}
}

// FreePort returns a free port of the loopback interface for a program that cannot choose one itself. The port is below
// the range of ephemeral ports, and reserved until the test ends: no other test gets it, in this process or another.
func FreePort(t testing.TB) int {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "fn-runtime-test-ports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000))
		lock := flock.New(filepath.Join(dir, port))
		if locked, err := lock.TryLock(); err != nil || !locked {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			_ = lock.Unlock()
			continue
		}
		_ = l.Close()
		t.Cleanup(func() { _ = lock.Unlock() })
		n, _ := strconv.Atoi(port)
		return n
	}
	t.Fatal("no port is free")
	return 0
}
