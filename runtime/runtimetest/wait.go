package runtimetest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"
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

// FreePort returns a free port of the loopback interface for a program that cannot choose one itself. It is below the
// range of ephemeral ports, so that no other process gets it in the meantime.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(10_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
