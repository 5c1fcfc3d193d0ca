package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// pipeTimeout is how long a pipe may take to say all that it has. What fills it may ask a slow service first.
const pipeTimeout = time.Minute

var errNoWriter = errors.New("nobody writes into the pipe")

// ReadFileOrPipe reads a file that the user named for this run, which may be a pipe: a process substitution, or /dev/stdin. A
// pipe that nobody writes into, or that does not end within a minute, is refused. The null device is an empty file.
func ReadFileOrPipe(path string, limit int64) ([]byte, error) {
	if null, err := os.Stat(os.DevNull); err == nil {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, null) {
			return nil, nil
		}
	}
	if !isPipe(path) {
		return Read(path, limit)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|NonBlock, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if f.SetReadDeadline(time.Now().Add(pipeTimeout)) != nil { // a system without deadlines for pipes
		waiting, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		_ = f.Close()
		f = waiting
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err == nil && len(data) == 0:
		err = refusal(path, errNoWriter)
	case err == nil && int64(len(data)) > limit:
		err = refusal(path, errTooLarge)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

func isPipe(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// PipeCache is ReadFileOrPipe for files that are read several times: what a pipe held is remembered. A nil *PipeCache remembers nothing.
// It may be used from several goroutines.
type PipeCache struct {
	mu   sync.Mutex
	held map[string][]byte
}

// Read is ReadFileOrPipe. Of a pipe that was read before it returns the same bytes, which nobody may change.
func (p *PipeCache) Read(path string, limit int64) ([]byte, error) {
	if p == nil || !isPipe(path) {
		return ReadFileOrPipe(path, limit)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if data, known := p.held[path]; known {
		return data, nil
	}
	data, err := ReadFileOrPipe(path, limit)
	if err == nil {
		if p.held == nil {
			p.held = map[string][]byte{}
		}
		p.held[path] = data
	}
	return data, err
}
