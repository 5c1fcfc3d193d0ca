package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// settings are the settings that a start requested. A later start compares its settings with them, and a restart keeps
// them. The zero value of a field means that the setting was not requested.
type settings struct {
	Python       string        `json:"python,omitempty"`
	IdleTimeout  time.Duration `json:"idle_timeout_ns,omitempty"`
	MaxStorageMB int           `json:"max_storage_mb,omitempty"`
	MemoryMB     int           `json:"memory_mb,omitempty"`
}

func (o Options) settings() settings {
	return settings{Python: o.Python, IdleTimeout: o.IdleTimeout, MaxStorageMB: o.MaxStorageMB, MemoryMB: o.MemoryMB}
}

// withPrevious sets unset options to the values that the last start requested. Serve itself keeps the invoker, Python
// and the port.
func (o Options) withPrevious(i Info) Options {
	if o.S3Port == 0 {
		o.S3Port = i.S3Port
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = i.Requested.IdleTimeout
	}
	if o.MaxStorageMB == 0 {
		o.MaxStorageMB = i.Requested.MaxStorageMB
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = i.Requested.MemoryMB
	}
	return o
}

// CheckSettings returns a fault.Conflict error that lists the options whose values differ from the running endpoint. It
// returns nil if there are none. Unset options are ignored.
func (i Info) CheckSettings(o Options) error {
	var lines []string
	addDifference := func(flag string, requested, current any) {
		lines = append(lines, i18n.M("{{.Flag}}: {{.Have}} (requested: {{.Asked}})", "Flag", flag, "Have", current, "Asked", requested).String())
	}
	if o.Python != "" && o.Python != i.Requested.Python {
		if path, err := interpreter(o.Python, ""); err != nil || path != i.Python {
			addDifference("--python", o.Python, i.Python)
		}
	}
	if o.Invoker != "" && o.Invoker != i.InvokerRequested && o.Invoker != i.Invoker {
		addDifference("--invoker", o.Invoker, i.Invoker)
	}
	compare := func(flag string, requested, current int) {
		if requested != 0 && requested != current {
			addDifference(flag, requested, current)
		}
	}
	compare("--port", o.Port, i.Port)
	compare("--s3-port", o.S3Port, i.S3Port)
	compare("--memory", o.MemoryMB, i.MemoryMB)
	compare("--max-storage", o.MaxStorageMB, i.Requested.MaxStorageMB)
	if o.IdleTimeout != 0 && o.IdleTimeout != i.Requested.IdleTimeout {
		addDifference("--idle-timeout", o.IdleTimeout, i.Requested.IdleTimeout)
	}
	if len(lines) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, i18n.M("The local endpoint is already running with different settings."),
		i18n.M("Pass '--restart' to restart it with these settings, or omit the settings.")).With(lines...)
}

// Restart stops the endpoint in o.Dir if it runs and starts it. Options that are not set keep the values of the last
// start.
func Restart(ctx context.Context, o Options) (Info, error) {
	i, err := Status(ctx, o.Dir)
	if err == nil {
		err = Stop(ctx, o.Dir)
	}
	if err != nil {
		return Info{}, err
	}
	return Start(ctx, o.withPrevious(i))
}

// Reset stops the endpoint in dir and removes the directory with its runtimes, objects, credentials, certificates and
// logs. It does nothing if dir is not the directory of an endpoint.
func Reset(ctx context.Context, dir string) error {
	if err := Stop(ctx, dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, infoFile)); errors.Is(err, fs.ErrNotExist) {
		return nil // the endpoint was never started, or dir is not the directory of an endpoint
	}
	if err := os.RemoveAll(dir); err != nil {
		return fault.New(fault.Failed, i18n.M("{{.Error}}", "Error", fmt.Sprint(err)),
			i18n.M("Check that you own the directory and that the disk is not full.")).Because(err)
	}
	return nil
}
