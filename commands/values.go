package commands

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

// valueError is the reason why the value of a flag is invalid, as a Message.
type valueError struct{ i18n.Message }

func (e valueError) Error() string { return e.Message.String() }

// choice is a flag value from a fixed list.
type choice struct {
	values []string
	set    func(string)
	get    func() string
}

func (c choice) Type() string { return "string" }

func (c choice) String() string {
	if c.get == nil {
		return ""
	}
	return c.get()
}

func (c choice) Set(s string) error {
	if slices.Contains(c.values, s) {
		c.set(s)
		return nil
	}
	known := strings.Join(c.values, ", ")
	if near := text.Nearest(s, c.values); near != "" {
		return valueError{i18n.M("Did you mean '{{.Near}}'? Possible values: {{.Values}}.", "Near", near, "Values", known)}
	}
	return valueError{i18n.M("Possible values: {{.Values}}.", "Values", known)}
}

// textValue is a flag value that the function set validates and stores.
type textValue struct{ set func(string) error }

func (textValue) Type() string         { return "string" }
func (textValue) String() string       { return "" }
func (t textValue) Set(s string) error { return t.set(s) }

// countValue is a flag value for an integer from 1 to most.
type countValue struct {
	p    *int
	most int
}

func (c *countValue) Type() string { return "int" }

func (c *countValue) String() string {
	if c.p == nil || *c.p == 0 {
		return ""
	}
	return strconv.Itoa(*c.p)
}

func (c *countValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > c.most {
		return valueError{i18n.M("Specify a whole number from 1 to {{.Most}}.", "Most", c.most)}
	}
	*c.p = n
	return nil
}

// memoryValue is a flag value for a list of memory sizes in MB, such as "256,512". The flag can be repeated.
type memoryValue struct{ list *[]int }

// maxMemory is a sanity limit in MB. The limit of the service is checked after connecting to it.
const maxMemory = 1 << 20

func (m memoryValue) Type() string { return "list" }

func (m memoryValue) String() string {
	if m.list == nil || len(*m.list) == 0 {
		return ""
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(*m.list), " ", ","), "[]")
}

func (m memoryValue) Set(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > maxMemory {
			return valueError{i18n.M("Specify a whole number of MB, or several separated by commas: 256,512.")}
		}
		if !slices.Contains(*m.list, n) {
			*m.list = append(*m.list, n)
		}
	}
	return nil
}

// cpuValue is a flag value for a number of vCPUs, such as "0.125" or "2". It is stored in mCPU (millicores).
type cpuValue struct{ milli *int }

func (c cpuValue) Type() string { return "number" }

func (c cpuValue) String() string {
	if c.milli == nil || *c.milli == 0 {
		return ""
	}
	return lithops.FormatCPU(*c.milli)
}

func (c cpuValue) Set(s string) error {
	n, err := strconv.ParseFloat(s, 64)
	milli := n * 1000
	if err != nil || !(milli >= 1 && milli <= 1e6) || milli != math.Trunc(milli) { // also rejects NaN
		return valueError{i18n.M("Specify a number of vCPU, such as 0.125 or 2.")}
	}
	*c.milli = int(milli)
	return nil
}

// ageValue is a flag value for a duration, which can also be in days: "36h", "7d".
type ageValue struct{ p *time.Duration }

func (a ageValue) Type() string { return "duration" }

func (a ageValue) String() string {
	if a.p == nil || *a.p == 0 {
		return ""
	}
	return a.p.String()
}

func (a ageValue) Set(s string) error {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
		if n > 36500 {
			d = -1
		}
	}
	if err != nil || d <= 0 {
		return valueError{i18n.M("Specify a number with a unit, such as 30m, 36h or 7d.")}
	}
	*a.p = d
	return nil
}

// isVersion reports whether s is a major and minor version, such as "3.11".
func isVersion(s string) bool {
	major, minor, ok := strings.Cut(s, ".")
	return ok && isNumber(major) && isNumber(minor)
}

func isNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n < 100 && s == strconv.Itoa(n)
}

// isPath reports whether s is the path or the command name of an interpreter.
func isPath(s string) bool { return strings.ContainsAny(s, `/\`) || strings.HasPrefix(s, "python") }
