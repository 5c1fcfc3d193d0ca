package harness

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var variants struct {
	sync.Mutex
	built map[string]error
}

// variant builds bin/fn-runtime-NAME once per test process and returns its path.
func variant(t testing.TB, name string, args ...string) string {
	t.Helper()
	root := Root(t)
	path := filepath.Join(root, "bin", "fn-runtime-"+name)
	variants.Lock()
	defer variants.Unlock()
	if _, done := variants.built[name]; !done {
		cmd := exec.Command("go", append(append([]string{"build"}, args...), "-o", path, ".")...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("go build: %w\n%s", err, out)
		}
		if variants.built == nil {
			variants.built = map[string]error{}
		}
		variants.built[name] = err
	}
	if err := variants.built[name]; err != nil {
		t.Fatal(err)
	}
	return path
}

// RaceBinary is like Binary, but builds the binary with the race detector, which needs a C compiler. The detector
// writes its reports to standard error, which NoRaces searches.
func RaceBinary(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		Missing(t, "the race detector needs gcc: %v", err)
	}
	return variant(t, "race", "-race")
}

// NoRaces fails the test if text or one of the files contains a report of the race detector.
func NoRaces(t testing.TB, text string, files ...string) {
	t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		text += string(data)
	}
	if i := strings.Index(text, "WARNING: DATA RACE"); i >= 0 {
		t.Errorf("%.4000s", text[i:])
	}
}

// ClockVariable is the environment variable that passes the file of SetClock to ClockBinary.
const ClockVariable = "FN_RUNTIME_TEST_CLOCK"

// SetClock shifts the clock of all programs that read the file, including those that are already running.
func SetClock(t testing.TB, file string, by time.Duration) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(by/time.Second)), 0) // in place: programs map the file
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ClockBinary is like Binary, but the binary has a clock that a test can shift while the program runs. Go asks the
// kernel for the time without libc, so a preloaded library cannot do this. Instead the program is built with a standard
// library whose time.Now adds the seconds in a file. Timers and elapsed times follow the monotonic clock, as they do
// when a real clock is set.
func ClockBinary(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(out)), "src", "time")
	text, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const now = "sec, nsec, mono := runtimeNow()\n\tif mono == 0 {"
	if strings.Count(string(text), now) != 1 {
		t.Fatal("time.Now of this Go does not look as expected")
	}
	// The directory must be the same each time, so that the Go build cache recognizes the packages.
	dir := filepath.Join(CacheDir(t), "clock")
	replaced := map[string]string{}
	for name, text := range map[string]string{
		"time.go": strings.Replace(string(text), now, "sec, nsec, mono := runtimeNow()\n\tsec += shiftedClock()\n\tif mono == 0 {", 1), "shiftedClock.go": shiftedClock,
	} {
		replaced[filepath.Join(source, name)] = filepath.Join(dir, name)
		err = os.MkdirAll(dir, 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replaced})
	overlay := filepath.Join(dir, "overlay.json")
	if err == nil {
		err = os.WriteFile(overlay, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return variant(t, "clock", "-overlay", overlay)
}

// shiftedClock is the file that ClockBinary adds to the package time. The Go runtime calls time.Now in states in which
// it can neither make system calls nor allocate memory, so the file is mapped once.
const shiftedClock = `package time

import (
	"syscall"
	"unsafe"
)

var clock = new(int64)

func init() {
	path, ok := syscall.Getenv("` + ClockVariable + `")
	if !ok {
		return
	}
	f, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	data, err := syscall.Mmap(f, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	clock = (*int64)(unsafe.Pointer(&data[0]))
	syscall.Close(f)
}

func shiftedClock() int64 { return *clock }
`
