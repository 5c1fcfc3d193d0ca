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

// Limits of the log in a status object. The last lines are kept.
const (
	maxLog      = 8 << 20 // bytes, uncompressed
	maxLogLines = 1000
	maxLogLine  = 4 << 10 // bytes
)

// LoggedCall is a call as the log of a worker shows it (worker/handler.py, worker/jobrunner.py). Workers log it at
// level INFO, which is the default of the client.
type LoggedCall struct {
	Job, Call   string
	Function    string    // empty if the call did not get to the function
	Started     time.Time // zero if the lines have no time
	Ended       time.Time // time of its last line
	Raised      bool      // the function, or the code that runs it, raised an exception
	Error       string    // last line of the exception
	Lines       []int     // indexes of its lines
	Interleaved bool      // the worker ran several calls at the same time
}

// Line is a line in the log of an activation in the format of OpenWhisk: time, stream, text. If the line does not have
// this format, Time is zero and Stream is empty.
type Line struct {
	Time   time.Time
	Stream string
	Text   string
	Worker bool // a message of the worker about its own work; set by ReadLog
}

// ParseLine splits a log line into its parts.
func ParseLine(s string) Line {
	stamp, rest, ok := strings.Cut(s, " ")
	if !ok {
		return Line{Text: s}
	}
	timestamp, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return Line{Text: s}
	}
	rest = strings.TrimLeft(rest, " ")
	for _, stream := range []string{"stdout", "stderr"} {
		if message, ok := strings.CutPrefix(rest, stream+":"); ok {
			return Line{Time: timestamp.UTC(), Stream: stream, Text: strings.TrimPrefix(message, " ")}
		}
	}
	return Line{Time: timestamp.UTC(), Text: rest}
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

// ReadLog returns the calls in the log of an activation, in order. It also sets Worker in the messages of the worker
// about its own work. If a worker runs several calls at the same time, their lines are interleaved, and ReadLog assigns
// every line to the call that started last. With a log level other than INFO, the worker does not log the calls.
// ReadLog then assigns all lines to the given job and call, or returns no calls if call is empty.
func ReadLog(lines []Line, job, call string) []LoggedCall {
	markWorker(lines)
	calls := readLog(lines, nil)
	if len(calls) > 0 || call == "" || len(lines) == 0 {
		return calls
	}
	return readLog(lines, []LoggedCall{{Job: job, Call: call, Started: lines[0].Time}})
}

// markWorker sets Worker in the messages of a worker about its own work: the frames around the output of a function,
// and INFO and DEBUG messages outside of the frames. If calls are interleaved, lines inside and outside of a frame
// cannot be distinguished, so markWorker marks only the frames.
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

// matchIfContains returns the match of a pattern that contains a fixed text. It searches for the fixed text first,
// because that is faster and most lines do not contain it.
func matchIfContains(p *text.Pattern, line, fixed string) []string {
	if !strings.Contains(line, fixed) {
		return nil
	}
	return p.FindStringSubmatch(line)
}

// inflateLog returns the last lines of the log in a status object, which is zlib data in Base64. If the data is
// damaged, it returns the lines before the damage.
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
