package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// pipeTimeout is how long reading a pipe to its end may take. The writer may have to call a slow service first.
const pipeTimeout = time.Minute

var errNoWriter = errors.New("no process writes to the pipe")

// ReadFileOrPipe reads a file that the user named for this run. The file may be a pipe, such as a process substitution
// or /dev/stdin. It returns an error if a pipe has no writer or does not end within a minute. The null device is an
// empty file.
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
	if f.SetReadDeadline(time.Now().Add(pipeTimeout)) != nil { // the system does not support deadlines for pipes
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

// PipeCache reads files like ReadFileOrPipe and keeps the content of pipes, so that a pipe can be read several times. A
// nil *PipeCache keeps nothing. It is safe for concurrent use.
type PipeCache struct {
	mu   sync.Mutex
	held map[string][]byte
}

// Read reads a file like ReadFileOrPipe. For a pipe that was read before, it returns the same bytes. The caller must
// not modify them.
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
