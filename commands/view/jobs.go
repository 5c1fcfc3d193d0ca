package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/text"
)

// jobDocument is one entry of jobs --output json. It is part of the document of jobs JOB --output json.
type jobDocument struct {
	Job       string             `json:"job"`
	Executor  string             `json:"executor"`
	Function  string             `json:"function"` // "" if unknown
	Runtime   string             `json:"runtime"`
	MemoryMB  int                `json:"memory_mb"`
	Calls     callCountsDocument `json:"calls"`
	StartedAt *string            `json:"started_at"` // of the first call
	EndedAt   *string            `json:"ended_at"`   // of the last call; null until all calls have ended
	DurationS float64            `json:"duration_s"`
	GBs       float64            `json:"gb_s"`
	Cost      *float64           `json:"cost"` // null without --price
}

type callCountsDocument struct {
	Total   int `json:"total"`
	Waiting int `json:"waiting"`
	Running int `json:"running"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Cold    int `json:"cold"`
}

type jobDetailDocument struct {
	jobDocument
	MedianS float64        `json:"median_s"` // of the calls that have ended
	P99S    float64        `json:"p99_s"`
	List    []callDocument `json:"list"` // failed first, then the slowest
}

type callDocument struct {
	Call        string  `json:"call"`
	Activation  string  `json:"activation_id"`
	State       string  `json:"state"` // "waiting", "running", "done" or "failed"
	SubmittedAt *string `json:"submitted_at"`
	StartedAt   *string `json:"started_at"`
	EndedAt     *string `json:"ended_at"`
	DurationS   float64 `json:"duration_s"`
	Cold        bool    `json:"cold"`
	InitS       float64 `json:"init_s"`
	MemoryMB    int     `json:"memory_mb"`
	Error       string  `json:"error"`
}

func jobDoc(j entity.Job, price float64) jobDocument {
	doc := jobDocument{
		Job: j.ID, Executor: j.Executor, Function: text.Printable(j.Function), Runtime: text.Printable(j.Runtime), MemoryMB: j.MemoryMB,
		Calls:     callCountsDocument(j.Calls),
		StartedAt: timestamp(j.First), EndedAt: timestamp(j.Last), DurationS: secondsOf(j.Duration), GBs: float64(int64(j.GBs*1000+0.5)) / 1000,
	}
	if price > 0 && j.MemoryMB > 0 {
		cost := j.GBs * price
		doc.Cost = &cost
	}
	return doc
}

// secondsOf returns a duration in seconds, rounded down to milliseconds.
func secondsOf(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// Jobs shows the list of jobs. price is the price of a GB-second, or 0 to show no costs.
func (v *View) Jobs(list []entity.Job, price float64) error {
	if v.JSON {
		docs := make([]jobDocument, 0, len(list))
		for _, j := range list {
			docs = append(docs, jobDoc(j, price))
		}
		return v.Document(docs)
	}
	v.endProgress()
	if len(list) == 0 {
		v.Print(i18n.M("No jobs found."))
		return nil
	}
	// Only unfinished jobs need the columns for running and waiting calls. Without these columns the list fits a
	// terminal of 80 columns.
	open := slices.ContainsFunc(list, func(j entity.Job) bool { return !j.Done() })
	t := table{header: []i18n.Message{i18n.M("Job"), i18n.M("Function"), i18n.M("Calls")}}
	if open {
		t.header = append(t.header, i18n.M("Running"), i18n.M("Waiting"))
	}
	t.header = append(t.header, i18n.M("Failed"), i18n.M("Started"), i18n.M("Duration"), i18n.M("GB-s"))
	if price > 0 {
		t.header = append(t.header, i18n.M("Cost"))
	}
	for _, j := range list {
		row := []string{text.Printable(j.ID), dash(text.Printable(j.Function)), v.endedCalls(j.Calls)}
		if open {
			row = append(row, countOrDash(j.Calls.Running), countOrDash(j.Calls.Waiting))
		}
		row = append(row, countOrDash(j.Calls.Failed), shortTime(j.First), duration(j.Duration), GBs(j))
		if price > 0 {
			row = append(row, cost(j, price))
		}
		t.rows = append(t.rows, row)
	}
	v.table(t)
	return nil
}

// barColumns is the minimum width of a terminal for progress bars.
const barColumns = 110

// endedCalls returns the number of ended calls. For an unfinished job it includes the total, and a bar in a wide
// terminal.
func (v *View) endedCalls(c entity.Counts) string {
	n := c.Done + c.Failed
	if n == c.Total {
		return strconv.Itoa(n)
	}
	s := strconv.Itoa(n) + "/" + strconv.Itoa(c.Total)
	if v.OutTTY && v.Width >= barColumns {
		const width = 10
		full := n * width / c.Total
		s = "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] " + s
	}
	return s
}

// countOrDash formats a number. It returns "-" for 0.
func countOrDash(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// GBs returns the GB-seconds that a job has used. It returns "-" if the memory of its calls is unknown.
func GBs(j entity.Job) string {
	if j.MemoryMB == 0 {
		return "-"
	}
	return strconv.FormatFloat(j.GBs, 'f', 1, 64)
}

// cost returns the cost of a job without a currency. price is the price of a GB-second.
func cost(j entity.Job, price float64) string {
	if j.MemoryMB == 0 {
		return "-"
	}
	return strconv.FormatFloat(j.GBs*price, 'f', 6, 64)
}

// shownCalls is the maximum number of calls in the table of a job. The JSON document contains all calls.
const shownCalls = 20

// Job shows one job with its calls: failed calls first, then the slowest.
func (v *View) Job(d runtime.JobDetail, price float64) error {
	now := time.Now()
	calls := slices.Clone(d.List)
	slices.SortStableFunc(calls, func(a, b entity.Call) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Duration(now), a.Duration(now)))
	})
	median, p99 := entity.Quantile(d.List, 0.5), entity.Quantile(d.List, 0.99)
	if v.JSON {
		doc := jobDetailDocument{jobDocument: jobDoc(d.Job, price), MedianS: secondsOf(median), P99S: secondsOf(p99), List: []callDocument{}}
		for _, c := range calls {
			doc.List = append(doc.List, callDocument{
				Call: c.ID, Activation: text.Printable(c.Activation), State: string(c.State), SubmittedAt: timestamp(c.Submitted), StartedAt: timestamp(c.Started), EndedAt: timestamp(c.Ended),
				DurationS: secondsOf(c.Duration(now)), Cold: c.Cold, InitS: secondsOf(c.Init), MemoryMB: c.MemoryMB, Error: v.callError(c),
			})
		}
		return v.Document(doc)
	}
	v.endProgress()
	spent := GBs(d.Job)
	if price > 0 {
		spent += ", " + cost(d.Job, price)
	}
	v.pairs([]pair{
		{i18n.M("Job"), paint(v.OutColor, entityName, text.Printable(d.ID))},
		{i18n.M("Function"), text.Printable(d.Function)},
		{i18n.M("Runtime"), withMemory(text.Printable(d.Runtime), d.MemoryMB)},
		{i18n.M("Calls"), v.plain(i18n.M("{{.Total}}: {{.Done}} done, {{.Failed}} failed, {{.Running}} running, {{.Waiting}} waiting",
			"Total", d.Calls.Total, "Done", d.Calls.Done, "Failed", d.Calls.Failed, "Running", d.Calls.Running, "Waiting", d.Calls.Waiting))},
		{i18n.M("Cold starts"), countOrDash(d.Calls.Cold)},
		{i18n.M("Started"), shortTime(d.First)},
		{i18n.M("Duration"), duration(d.Duration)},
		{i18n.M("Median"), duration(median)},
		{i18n.M("99th percentile"), duration(p99)},
		{i18n.M("GB-s"), spent},
	})
	if len(calls) == 0 {
		return nil
	}
	fmt.Fprintln(v.Out)
	t := table{prose: true, header: []i18n.Message{i18n.M("Call"), i18n.M("State"), i18n.M("Duration"), i18n.M("Start"), i18n.M("Activation"), i18n.M("Error")}}
	for _, c := range calls[:min(len(calls), shownCalls)] {
		start := i18n.M("Warm")
		if c.Cold {
			start = i18n.M("Cold")
		}
		startText := v.plain(start)
		if c.Started.IsZero() {
			startText = "-"
		}
		t.rows = append(t.rows, []string{c.ID, v.plain(callState(c.State)), duration(c.Duration(now)), startText, dash(text.Printable(c.Activation)), v.callError(c)})
	}
	v.table(t)
	if more := len(calls) - shownCalls; more > 0 {
		v.Print(i18n.M("Calls not shown: {{.Number}}. Use '--output json' to show all calls.", "Number", more))
	}
	if d.Calls.Failed > 0 {
		v.Hint(i18n.M("Show the logs of failed calls with 'ibmcloud fn-runtime logs {{.Arguments}}'.", "Arguments", "--job "+text.Printable(d.ID)+" --failed"))
	}
	return nil
}

// withMemory returns the name of a runtime and its memory size, if known.
func withMemory(name string, mb int) string {
	if mb == 0 {
		return name
	}
	return fmt.Sprintf("%s (%d MB)", dash(name), mb)
}

// rank returns the sort key of a call: failed calls come first, waiting calls last.
func rank(c entity.Call) int {
	switch c.State {
	case entity.CallFailed:
		return 0
	case entity.CallWaiting:
		return 2
	}
	return 1
}

// callError returns why a call failed: the translated reason of the service, or the last line of the exception that the
// function raised.
func (v *View) callError(c entity.Call) string {
	if !c.Cause.IsZero() {
		return v.plain(c.Cause)
	}
	return text.Printable(c.Error)
}

func callState(s entity.CallState) i18n.Message {
	switch s {
	case entity.CallWaiting:
		return i18n.M("Waiting")
	case entity.CallRunning:
		return i18n.M("Running")
	case entity.CallFailed:
		return i18n.M("Failed")
	}
	return i18n.M("Done")
}
