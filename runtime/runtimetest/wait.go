package runtimetest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"
)

// eventuallyTimeout is how long a test waits for what must come: a machine that has other work to do may take long.
const eventuallyTimeout = time.Minute

// Eventually waits until a condition holds, and ends the test when it does not within a minute. what completes the
// sentence "not seen: ...".
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(eventuallyTimeout); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not seen within %s: %s", eventuallyTimeout, what)
		}
	}
}

// FreePort returns a port of the loopback interface on which nobody listens, for a program that cannot choose one itself.
// It is below the ports that systems give to whoever asks for any, so that nobody gets it meanwhile.
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
