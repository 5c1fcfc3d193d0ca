package lithops

import (
	"bufio"
	"compress/zlib"
	"encoding/base64"
	"io"
	"strings"
	"time"

	"fn-runtime/runtime/text"
)

// The bounds of the log that a status object has: its last lines count.
const (
	maxLog      = 8 << 20 // bytes, unpacked
	maxLogLines = 1000
	maxLogLine  = 4 << 10 // bytes
)

// LoggedCall is what the log of a worker tells of one call (worker/handler.py, worker/jobrunner.py). Workers log it at
// the level INFO, which is the client's default.
type LoggedCall struct {
	Job, Call   string
	Function    string    // "" where it did not come so far
	Started     time.Time // zero where the lines have no time
	Ended       time.Time // of its last line
	Raised      bool      // the function, or what runs it, raised an exception
	Error       string    // its last line
	Lines       []int     // indices of its lines
	Interleaved bool      // its worker ran several calls at the same time
}

// Line is a line of the log of an activation as OpenWhisk keeps it: time, stream, text. Time is zero and Stream "" in a
// line that is not of that form.
type Line struct {
	Time   time.Time
	Stream string
	Text   string
	Worker bool // the worker says it of its own work; only ReadLog knows
}

// ParseLine takes a line apart.
func ParseLine(s string) Line {
	stamp, rest, ok := strings.Cut(s, " ")
	if !ok {
		return Line{Text: s}
	}
	when, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return Line{Text: s}
	}
	rest = strings.TrimLeft(rest, " ")
	for _, stream := range []string{"stdout", "stderr"} {
		if words, ok := strings.CutPrefix(rest, stream+":"); ok {
			return Line{Time: when.UTC(), Stream: stream, Text: strings.TrimPrefix(words, " ")}
		}
	}
	return Line{Time: when.UTC(), Text: rest}
}

var (
	callLine     = text.NewPattern(`\[[A-Z]+\] .*Execution ID: ([0-9A-Za-z-]+)/([0-9]+)$`)
	workersLine  = text.NewPattern(`\[[A-Z]+\] .*Worker processes: ([0-9]{1,4})$`)
	infoLine     = text.NewPattern(`^([0-9-]{10} [0-9:]{8},[0-9]{3} )?\[(DEBUG|INFO)\] [\w.]+(:[0-9]+)? -- `)
	functionLine = text.NewPattern(`\[[A-Z]+\] .*Going to execute '(.{1,200})\(\)'$`)
)

const (
	functionHeader  = "---------------------- FUNCTION LOG ----------------------"
	exceptionHeader = "----------------------- EXCEPTION !-----------------------"
	sectionFooter   = "----------------------------------------------------------"
)

// ReadLog finds the calls in the log of an activation, in their order. Where a worker runs several at the same time their
// lines mix, and are taken for those of the call that began last. With another log level than INFO the worker names no call:
// then the log is that of the one call that is known to have written it, given by job and id, "" where none is. Lines of
// the worker's own are marked in place.
func ReadLog(lines []Line, job, call string) []LoggedCall {
	markWorker(lines)
	calls := readLog(lines, nil)
	if len(calls) > 0 || call == "" || len(lines) == 0 {
		return calls
	}
	return readLog(lines, []LoggedCall{{Job: job, Call: call, Started: lines[0].Time}})
}

// markWorker marks what the worker says of its own work: the frames around what a function wrote, and what it logs outside
// of them for information. Where several calls mix, nobody can tell what is outside: then only the frames are marked.
func markWorker(lines []Line) {
	inside, interleaved := false, false
	for i := range lines {
		line := &lines[i]
		if m := matchIfContains(workersLine, line.Text, "Worker processes: "); m != nil {
			interleaved = m[1] != "1"
		}
		switch line.Text {
		case functionHeader, exceptionHeader:
			inside, line.Worker = true, true
		case sectionFooter:
			inside, line.Worker = false, true
		default:
			line.Worker = !inside && !interleaved && infoLine.MatchString(line.Text)
		}
	}
}

func readLog(lines []Line, calls []LoggedCall) []LoggedCall {
	var current *LoggedCall
	if len(calls) > 0 {
		current = &calls[0]
	}
	raising, interleaved := false, false
	for i, line := range lines {
		if m := matchIfContains(workersLine, line.Text, "Worker processes: "); m != nil {
			interleaved = m[1] != "1"
		}
		if m := matchIfContains(callLine, line.Text, "Execution ID: "); m != nil && IsJob(m[1]) && IsCall(m[2]) {
			calls = append(calls, LoggedCall{Job: m[1], Call: m[2], Started: line.Time, Interleaved: interleaved})
			current, raising = &calls[len(calls)-1], false
		}
		if current == nil {
			continue
		}
		current.Ended = line.Time
		current.Lines = append(current.Lines, i)
		switch m := matchIfContains(functionLine, line.Text, "Going to execute "); {
		case m != nil && current.Function == "":
			current.Function = text.Line(m[1], 200)
		case line.Text == exceptionHeader:
			current.Raised, raising = true, true
		case raising && line.Text == sectionFooter:
			raising = false
		case raising && strings.TrimSpace(line.Text) != "":
			current.Error = text.Line(line.Text, 400)
		}
	}
	return calls
}

// matchIfContains is the match of a pattern that has some fixed words in it, which are looked for first: most lines have them not.
func matchIfContains(p *text.Pattern, line, words string) []string {
	if !strings.Contains(line, words) {
		return nil
	}
	return p.FindStringSubmatch(line)
}

// inflateLog unpacks the log of a status object: base64 of zlib of text. One that cannot be unpacked is as long as it could.
func inflateLog(packed string) []string {
	unzipped, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		return nil
	}
	defer unzipped.Close()
	var lines []string
	scanner := bufio.NewScanner(io.LimitReader(unzipped, maxLog))
	scanner.Buffer(nil, maxLog+1)
	for scanner.Scan() {
		line := scanner.Text()
		if len(line) > maxLogLine {
			line = line[:maxLogLine] + "..."
		}
		if lines = append(lines, text.Printable(line)); len(lines) > 2*maxLogLines {
			lines = append(lines[:0], lines[len(lines)-maxLogLines:]...)
		}
	}
	return lines[max(0, len(lines)-maxLogLines):]
}
