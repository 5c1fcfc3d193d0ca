package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// patience is how long a pipe may take to say all that it has. What fills it may ask a slow service first.
const patience = time.Minute

var errSilent = errors.New("nobody writes into the pipe")

// ReadNamed reads a file that the user named for this run, which may be a pipe: a process substitution, or /dev/stdin. A
// pipe that nobody writes into, or that does not end within a minute, is refused.
func ReadNamed(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return Read(path, limit)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|NoWait, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if f.SetReadDeadline(time.Now().Add(patience)) != nil { // a system without deadlines for pipes
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
		err = refusal(path, errSilent)
	case err == nil && int64(len(data)) > limit:
		err = refusal(path, errTooLarge)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}
