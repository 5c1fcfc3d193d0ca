package dashboard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fn-runtime/commands/view"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
)

// page is what the templates show.
type page struct {
	Locale  string
	T       map[string]string
	Target  runtime.Target
	Fixed   bool // a job was chosen; without it the newest is shown
	Job     *jobView
	Start   string // the job to begin with; "" is the newest
	Reading bool   // nothing has been read yet

	Runtimes []runtimeRow
	Workers  []tile // of the local endpoint
	Jobs     []jobRow
	Faults   []faultText
}

// runtimeRow is a runtime in the list.
type runtimeRow struct {
	Name, Memory, Python, Lithops, State, StateText, Reason, Advice string
}

// jobRow is a job in the list.
type jobRow struct {
	entity.Job
	Current  bool
	Ended    int // calls, done or failed
	Started  string
	Duration string
	State    string // of a call: running, done, failed
}

// faultText is an error for people.
type faultText struct{ Message, Recovery string }

// tile is a number of the summary.
type tile struct{ Name, Label, Value string }

// jobView is the job that is shown.
type jobView struct {
	entity.Job
	Tiles    []tile
	Decile   int // tenths that are done, for who hears the page
	Started  string
	version  uint64
	timeline timeline
	Axis     axis
	Places   []chunk
	Curves   []curve
	Table    tableView
	Stamp    string // changes with the picture
}

// Key tells pictures apart whose lanes are at other places.
func (v *jobView) Key() string {
	return v.ID + "/" + strconv.Itoa(len(v.timeline.Calls)) + "/" + strconv.Itoa(v.timeline.Lane)
}

// callRow is a call in the table.
type callRow struct {
	Lane                              int
	ID, State, StateText, Start, Wait string
	Duration, Error                   string
	Cold                              bool
}

// tableRows is how many rows of the table are sent at once.
const tableRows = 25

// model is what the page shows of a job, the newest when it is "". What could not be read is a fault on the page, beside
// what was read before.
func (s *server) model(job string) page {
	p := page{Locale: s.locale(), T: s.labels, Target: s.o.Target, Fixed: job != ""}
	n := s.feed.news()
	p.Reading = !n.read
	p.Runtimes = s.runtimeRows(n.runtimes)
	p.Workers = s.workers(n.load)
	for _, err := range n.errs {
		p.fault(s, err)
	}
	jobs := s.o.Watch.Jobs(time.Now())
	if job == "" && len(jobs) > 0 {
		job = jobs[0].ID
	}
	for _, j := range jobs[:min(len(jobs), maxJobs)] {
		p.Jobs = append(p.Jobs, s.jobRow(j, job))
	}
	p.Job = s.view(job)
	return p
}

// maxJobs bounds the list of jobs.
const maxJobs = 100

// locale is the language as HTML names it: "de-DE".
func (s *server) locale() string { return strings.ReplaceAll(s.o.Format.Locale(), "_", "-") }

func (p *page) fault(s *server, err error) {
	if err == nil {
		return
	}
	var f faultText
	f.Message, f.Recovery = s.o.Format.Error(err)
	if !slices.Contains(p.Faults, f) {
		p.Faults = append(p.Faults, f)
	}
}

func (s *server) runtimeRows(list []runtime.Runtime) []runtimeRow {
	w := s.o.Format
	var rows []runtimeRow
	for _, r := range list {
		rows = append(rows, runtimeRow{
			Name: w.Sanitize(r.Name), Memory: strconv.Itoa(r.MemoryMB) + " MB", Python: w.Sanitize(r.PythonVersion), Lithops: w.Sanitize(r.LithopsVersion),
			State: string(r.State), StateText: w.State(r.State), Reason: w.Text(r.Reason), Advice: w.Advice(r.State, 1),
		})
	}
	return rows
}

func (s *server) jobRow(j entity.Job, current string) jobRow {
	row := jobRow{
		Job: j, Current: j.ID == current, Ended: j.Calls.Done + j.Calls.Failed, Started: clockTime(j.First),
		Duration: s.o.Format.Duration(j.Duration), State: string(entity.CallDone),
	}
	switch {
	case j.Calls.Failed > 0:
		row.State = string(entity.CallFailed)
	case !j.Done():
		row.State = string(entity.CallRunning)
	}
	return row
}

// view is a job as it is now; nil when nothing of it is to be seen. What is laid out is used again while it holds: until
// something was read, or until time has gone on in a job that runs.
func (s *server) view(id string) *jobView {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, version := time.Now(), s.o.Watch.Version()
	if v := s.last; v != nil && v.ID == id && v.version == version && (v.Done() || now.Sub(v.timeline.now) < every/2) {
		return v
	}
	job, calls, ok := s.o.Watch.Job(id, now)
	if !ok {
		return nil
	}
	t := newTimeline(calls, now)
	v := &jobView{Job: job, version: version, timeline: t, Axis: t.Axis, Places: t.chunks(), Started: clockTime(job.First)}
	if !job.Done() {
		v.Stamp = strconv.FormatInt(now.UnixMilli(), 36)
	}
	v.Stamp += "." + strconv.FormatUint(version, 36)
	v.Tiles = s.tiles(v)
	if n := job.Calls.Total; n > 0 {
		v.Decile = (job.Calls.Done + job.Calls.Failed) * 10 / n
	}
	v.Curves = []curve{t.concurrency(), t.throughput()}
	for i := range v.Curves {
		v.Curves[i].Title = s.labels[v.Curves[i].Kind]
	}
	v.Table = tableView{T: s.labels, Job: id}
	v.Table.Rows, v.Table.More = s.rows(t, 0)
	s.last = v
	return v
}

// workers are the numbers of the local endpoint.
func (s *server) workers(l *Load) []tile {
	if l == nil {
		return nil
	}
	of := func(part, whole int) string { return strconv.Itoa(part) + " / " + strconv.Itoa(whole) }
	return s.labelled([]tile{
		{Name: "busy", Value: strconv.Itoa(l.Busy)}, {Name: "idle", Value: strconv.Itoa(l.Idle)}, {Name: "waiting", Value: strconv.Itoa(l.Waiting)},
		{Name: "processors", Value: of(l.Computing, l.Processors)}, {Name: "memory", Value: fmt.Sprintf("%.1f / %.1f GB", float64(l.UsedMB)/1024, float64(l.BudgetMB)/1024)},
	})
}

func (s *server) labelled(list []tile) []tile {
	for i := range list {
		list[i].Label = s.labels[list[i].Name]
	}
	return list
}

// tiles are the numbers of the summary.
func (s *server) tiles(d *jobView) []tile {
	n, say := d.Job.Calls, s.o.Format.Duration
	var ran []time.Duration
	for _, c := range d.timeline.Calls {
		if !c.Ended.IsZero() && !c.Started.IsZero() {
			ran = append(ran, c.Duration(d.timeline.now))
		}
	}
	slices.Sort(ran)
	median, p99 := "-", "-"
	if len(ran) > 0 {
		median, p99 = say(ran[len(ran)/2]), say(ran[min(len(ran)-1, len(ran)*99/100)])
	}
	list := []tile{{Name: "calls", Value: strconv.Itoa(n.Total)}}
	if !d.Done() {
		list = append(list, tile{Name: "waiting", Value: strconv.Itoa(n.Waiting)}, tile{Name: "running", Value: strconv.Itoa(n.Running)})
	}
	list = append(list, tile{Name: "done", Value: strconv.Itoa(n.Done)}, tile{Name: "failed", Value: strconv.Itoa(n.Failed)},
		tile{Name: "duration", Value: say(d.Duration)}, tile{Name: "median", Value: median}, tile{Name: "p99", Value: p99},
		tile{Name: "colds", Value: strconv.Itoa(n.Cold)}, tile{Name: "gbs", Value: view.GBs(d.Job)})
	return s.labelled(list)
}

// rows returns the rows of the table from the nth on, and where the next ones begin.
func (s *server) rows(t timeline, from int) (rows []callRow, next int) {
	from = min(from, len(t.order))
	to := min(from+tableRows, len(t.order))
	for _, i := range t.order[from:to] {
		rows = append(rows, s.callRow(t.Calls[i], i+1, t.now))
	}
	if to == len(t.order) {
		to = 0
	}
	return rows, to
}

func (s *server) callRow(c entity.Call, lane int, now time.Time) callRow {
	row := callRow{
		Lane: lane, ID: c.ID, State: string(c.State), StateText: s.labels[string(c.State)], Start: "-", Wait: "-",
		Duration: "-", Error: s.why(c), Cold: c.Cold,
	}
	if !c.Started.IsZero() {
		row.Start, row.Duration = clockTime(c.Started), s.o.Format.Duration(c.Duration(now))
		if !c.Submitted.IsZero() {
			row.Wait = s.o.Format.Duration(max(0, c.Started.Sub(c.Submitted)))
		}
	}
	return row
}

// why is the reason for which a call failed, in a line.
func (s *server) why(c entity.Call) string {
	if c.Error != "" {
		return c.Error
	}
	return s.o.Format.Text(c.Cause)
}

// clockTime is a time of day, with the day where it is not today.
func clockTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	t = t.Local()
	if y, m, d := t.Date(); time.Now().Format(time.DateOnly) != time.Date(y, m, d, 0, 0, 0, 0, time.Local).Format(time.DateOnly) {
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format(time.TimeOnly)
}
