package plugin

import (
	"io"
	"os"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// trace is where the requests are written to.
type trace struct {
	writer io.Writer // nil: nowhere
	close  func()
}

// openTrace follows IBMCLOUD_TRACE: "true" is standard error, "false" and "" nothing, anything else a file that is
// appended to and that only its owner can read.
func openTrace(setting string) (trace, error) {
	switch setting {
	case "", "false", "FALSE", "False":
		return trace{close: func() {}}, nil
	case "true", "TRUE", "True":
		return trace{writer: os.Stderr, close: func() {}}, nil
	}
	file := pathOf(setting)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND|regular.NonBlock, 0o600)
	if err == nil {
		if err = private(f); err != nil {
			_ = f.Close()
		}
	}
	if err != nil {
		return trace{close: func() {}}, fault.New(fault.Invalid,
			i18n.M("The trace file {{.File}} cannot be written: {{.Why}}.", "File", file, "Why", err.Error()),
			i18n.M("Set IBMCLOUD_TRACE to true or to a writable file."))
	}
	return trace{writer: f, close: func() { _ = f.Close() }}, nil
}

// private takes a file that was there with other rights from everybody else. A device or a pipe stays as it is: root
// could take /dev/null from the whole machine, and to others it is not theirs to change.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.Chmod(0o600)
}
