package plugin

import (
	"io"
	"os"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// trace is the destination of the request trace.
type trace struct {
	writer io.Writer // nil to write no trace
	close  func()
}

// openTrace opens the destination for a value of IBMCLOUD_TRACE: "true" is stderr, "false" and "" disable the trace.
// Any other value is a file, to which the trace is appended and which only its owner can read.
func openTrace(setting string) (trace, error) {
	switch setting {
	case "", "false", "FALSE", "False":
		return trace{close: func() {}}, nil
	case "true", "TRUE", "True":
		return trace{writer: os.Stderr, close: func() {}}, nil
	}
	file := absolute(setting)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND|regular.NonBlock, 0o600)
	if err == nil {
		if err = makePrivate(f); err != nil {
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

// makePrivate removes the permissions of other users from an existing file. It does not change a device or a pipe: root
// would make /dev/null inaccessible to other users, and users other than root cannot change it.
func makePrivate(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.Chmod(0o600)
}
