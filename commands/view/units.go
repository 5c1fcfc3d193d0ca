package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// size formats a number of bytes in decimal units, which registries and object stores use.
func size(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f := float64(n)
	i := -1
	for f >= 999.95 && i < len(units)-1 {
		f /= 1000
		i++
	}
	return fmt.Sprintf("%.1f %cB", f, units[i])
}

// duration formats a duration, such as "340 ms", "2.5 s" or "3 m 20 s".
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d m %d s", int(d/time.Minute), int(d%time.Minute/time.Second))
}

// seconds formats the elapsed time of a running step in whole seconds, such as "3 s" or "2 m 5 s".
func seconds(d time.Duration) string {
	if d < time.Minute {
		return strconv.Itoa(int(d/time.Second)) + " s"
	}
	return duration(d)
}

// bar returns a progress bar such as "[####......] ". It returns "" if the total is unknown.
func bar(done, total int64) string {
	const cells = 10
	if total <= 0 {
		return ""
	}
	full := int(cells * min(max(done, 0), total) / total)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "] "
}

// counts formats progress counts with their rate, such as "12/100 (3/s)", or "1.2 MB/3.4 MB (500.0 kB/s)" if unit is
// "bytes". The rate is the quotient of added and elapsed.
func counts(done, total int64, unit string, added int64, elapsed time.Duration) string {
	show := func(n int64) string { return strconv.FormatInt(n, 10) }
	if unit == "bytes" {
		show = size
	}
	s := show(done)
	if total > 0 {
		s += "/" + show(total)
	}
	if rate := int64(float64(added) / max(1, elapsed.Seconds())); elapsed >= time.Second && rate > 0 {
		s += " (" + show(rate) + "/s)"
	}
	return s
}
