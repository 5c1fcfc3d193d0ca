package local

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// maxLog is the size at which the log is rotated, in bytes. The previous log is kept as endpoint.jsonl.1.
const maxLog = 16 << 20

// logWriter appends to the log file and rotates it. slog writes one line per call.
type logWriter struct {
	path string
	max  int64
	mu   sync.Mutex
	f    *os.File
	size int64
}

func openLog(dir string) (*logWriter, error) {
	w := &logWriter{path: filepath.Join(dir, logFile), max: maxLog}
	return w, w.open()
}

func (w *logWriter) open() error {
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.f, w.size = f, st.Size()
	return nil
}

func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return 0, os.ErrClosed
	}
	if w.size > 0 && w.size+int64(len(p)) > w.max {
		if err := errors.Join(w.f.Close(), os.Rename(w.path, w.path+".1"), w.open()); err != nil {
			w.f = nil
			return 0, err
		}
	}
	n, err := w.f.Write(p)
	w.size += int64(n)
	return n, err
}

func (w *logWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return nil
	}
	err := w.f.Close()
	w.f = nil
	return err
}

// logger returns a logger that writes JSON lines: {"time","level","msg",...}. The msg of requests is "request".
func (w *logWriter) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }
