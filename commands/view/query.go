package view

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/itchyny/gojq"
)

// SetQuery sets the filter to a jq expression. The output has the format of jq -r: one line per value, strings without
// quotes. Canceling ctx ends an expression that does not terminate.
func (v *View) SetQuery(ctx context.Context, expression string) error {
	query, err := gojq.Parse(expression)
	if err != nil {
		return err
	}
	code, err := gojq.Compile(query, gojq.WithEnvironLoader(os.Environ))
	if err != nil {
		return err
	}
	v.filter = func(w io.Writer, doc any) error {
		for values := code.RunWithContext(ctx, doc); ; {
			value, ok := values.Next()
			if !ok {
				return nil
			}
			var halt *gojq.HaltError
			if err, failed := value.(error); errors.As(err, &halt) && halt.Value() == nil {
				return nil
			} else if failed {
				return err
			}
			if err := writeValue(w, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeValue writes one value of jq on a line, sanitized for a terminal.
func writeValue(w io.Writer, value any) error {
	line, ok := value.(string)
	if !ok {
		data, err := gojq.Marshal(value)
		if err != nil {
			return err
		}
		line = string(data)
	}
	_, err := io.WriteString(w, sanitize(line)+"\n")
	return err
}
