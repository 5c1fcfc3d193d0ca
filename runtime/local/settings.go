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

// settings are what a start asked for, for the next one to keep or to compare. The zero value of a field: nothing.
type settings struct {
	Python       string        `json:"python,omitempty"`
	IdleTimeout  time.Duration `json:"idle_timeout_ns,omitempty"`
	MaxStorageMB int           `json:"max_storage_mb,omitempty"`
	MemoryMB     int           `json:"memory_mb,omitempty"`
}

func (o Options) settings() settings {
	return settings{Python: o.Python, IdleTimeout: o.IdleTimeout, MaxStorageMB: o.MaxStorageMB, MemoryMB: o.MemoryMB}
}

// keep completes options with what the last start asked for. Invoker, Python and port are kept by the start itself.
func (o Options) keep(i Info) Options {
	if o.S3Port == 0 {
		o.S3Port = i.S3Port
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = i.Asked.IdleTimeout
	}
	if o.MaxStorageMB == 0 {
		o.MaxStorageMB = i.Asked.MaxStorageMB
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = i.Asked.MemoryMB
	}
	return o
}

// Differs returns a fault that names the options in which a running endpoint is another than the one asked for; nil
// where there are none. What the options leave open differs in nothing.
func (i Info) Differs(o Options) error {
	var lines []string
	differ := func(flag string, asked, have any) {
		lines = append(lines, i18n.M("{{.Flag}}: {{.Have}} (requested: {{.Asked}})", "Flag", flag, "Have", have, "Asked", asked).String())
	}
	if o.Python != "" && o.Python != i.Asked.Python {
		if path, err := interpreter(o.Python, ""); err != nil || path != i.Python {
			differ("--python", o.Python, i.Python)
		}
	}
	if o.Invoker != "" && o.Invoker != i.InvokerAsked && o.Invoker != i.Invoker {
		differ("--invoker", o.Invoker, i.Invoker)
	}
	number := func(flag string, asked, have int) {
		if asked != 0 && asked != have {
			differ(flag, asked, have)
		}
	}
	number("--port", o.Port, i.Port)
	number("--s3-port", o.S3Port, i.S3Port)
	number("--memory", o.MemoryMB, i.MemoryMB)
	number("--max-storage", o.MaxStorageMB, i.Asked.MaxStorageMB)
	if o.IdleTimeout != 0 && o.IdleTimeout != i.Asked.IdleTimeout {
		differ("--idle-timeout", o.IdleTimeout, i.Asked.IdleTimeout)
	}
	if len(lines) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, i18n.M("The local endpoint is already running with different settings."),
		i18n.M("Pass '--restart' to restart it with these settings, or omit the settings.")).With(lines...)
}

// Restart stops the endpoint of o.Dir, where it runs, and starts it: with the options given, and for the rest with
// those of the last start.
func Restart(ctx context.Context, o Options) (Info, error) {
	i, err := Status(ctx, o.Dir)
	if err == nil {
		err = Stop(ctx, o.Dir)
	}
	if err != nil {
		return Info{}, err
	}
	return Start(ctx, o.keep(i))
}

// Reset stops the endpoint in dir and removes the folder with everything in it: runtimes, objects, credentials,
// certificates, logs.
func Reset(ctx context.Context, dir string) error {
	if err := Stop(ctx, dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, infoFile)); errors.Is(err, fs.ErrNotExist) {
		return nil // never started, or no folder of an endpoint
	}
	if err := os.RemoveAll(dir); err != nil {
		return fault.New(fault.Failed, i18n.M("{{.Error}}", "Error", fmt.Sprint(err)),
			i18n.M("Check that you own the directory and that the disk is not full.")).Because(err)
	}
	return nil
}
