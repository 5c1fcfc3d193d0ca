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

// page is the template data of the page.
type page struct {
	Locale  string
	T       map[string]string
	Target  runtime.Target
	Fixed   bool // the user has selected a job; otherwise the newest job is shown
	Job     *jobView
	Start   string // the job to open first; "" for the newest
	Loading bool   // the jobs have not been read yet

	Runtimes []runtimeRow
	Workers  []tile // of the local endpoint
	Jobs     []jobRow
	Faults   []faultText
}

// runtimeRow is a row of the runtime table.
type runtimeRow struct {
	Name, Memory, Python, Lithops, State, StateText, Reason, Advice string
}

// jobRow is an entry of the job list.
type jobRow struct {
	entity.Job
	Current  bool
	Ended    int // number of calls that are done or failed
	Started  string
	Duration string
	State    string // an entity.CallState: running, done or failed
}

// faultText is an error message and its suggested fix.
type faultText struct{ Message, Recovery string }

// tile is a labeled number of a summary.
type tile struct{ Name, Label, Value string }

// jobView is the template data of the job that is shown.
type jobView struct {
	entity.Job
	Tiles    []tile
	Decile   int // ended calls in tenths of all calls, announced by screen readers
	Started  string
	version  uint64
	timeline timeline
	Axis     axis
	Chunks   []chunk
	Curves   []curve
	Table    tableView
	Stamp    string // changes whenever the drawing changes
}

// Key returns a string that changes whenever the positions of the lanes change.
func (v *jobView) Key() string {
	return v.ID + "/" + strconv.Itoa(len(v.timeline.Calls)) + "/" + strconv.Itoa(v.timeline.LaneHeight)
}

// callRow is a row of the call table.
type callRow struct {
	Lane                              int
	ID, State, StateText, Start, Wait string
	Duration, Error                   string
	Cold                              bool
}

// tableRows is the number of table rows that are sent at a time.
const tableRows = 25

// model returns the template data of the page for a job, or for the newest job if job is "". The page shows read
// errors in addition to the data that was read before.
func (s *server) model(job string) page {
	p := page{Locale: s.locale(), T: s.labels, Target: s.o.Target, Fixed: job != ""}
	n := s.feed.snapshot()
	p.Loading = !n.jobsRead
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
	p.Job = s.layoutJob(job)
	return p
}

// maxJobs is the maximum number of jobs in the list.
const maxJobs = 100

// locale returns the language tag for HTML, such as "de-DE".
func (s *server) locale() string { return strings.ReplaceAll(s.o.Format.Locale(), "_", "-") }

// fault adds an error to the page unless the page already contains the same error.
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

// layoutJob returns the current view of a job. It returns nil if the job does not exist. It reuses the last view until
// new data was read or, for a running job, until half of refreshInterval has passed.
func (s *server) layoutJob(id string) *jobView {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, version := time.Now(), s.o.Watch.Version()
	if v := s.last; v != nil && v.ID == id && v.version == version && (v.Done() || now.Sub(v.timeline.now) < refreshInterval/2) {
		return v
	}
	job, calls, ok := s.o.Watch.Job(id, now)
	if !ok {
		return nil
	}
	t := newTimeline(calls, now)
	v := &jobView{Job: job, version: version, timeline: t, Axis: t.Axis, Chunks: t.chunks(), Started: clockTime(job.First)}
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

// workers returns the tiles of the load of the local endpoint.
func (s *server) workers(l *Load) []tile {
	if l == nil {
		return nil
	}
	fraction := func(part, total int) string { return strconv.Itoa(part) + " / " + strconv.Itoa(total) }
	return s.labeled([]tile{
		{Name: "busy", Value: strconv.Itoa(l.Busy)}, {Name: "idle", Value: strconv.Itoa(l.Idle)}, {Name: "waiting", Value: strconv.Itoa(l.Waiting)},
		{Name: "processors", Value: fraction(l.Computing, l.Processors)}, {Name: "memory", Value: fmt.Sprintf("%.1f / %.1f GB", float64(l.UsedMB)/1024, float64(l.BudgetMB)/1024)},
	})
}

// labeled sets the labels of tiles.
func (s *server) labeled(list []tile) []tile {
	for i := range list {
		list[i].Label = s.labels[list[i].Name]
	}
	return list
}

// tiles returns the tiles of the summary of a job.
func (s *server) tiles(d *jobView) []tile {
	n, format := d.Job.Calls, s.o.Format.Duration
	var ran []time.Duration
	for _, c := range d.timeline.Calls {
		if !c.Ended.IsZero() && !c.Started.IsZero() {
			ran = append(ran, c.Duration(d.timeline.now))
		}
	}
	slices.Sort(ran)
	median, p99 := "-", "-"
	if len(ran) > 0 {
		median, p99 = format(ran[len(ran)/2]), format(ran[min(len(ran)-1, len(ran)*99/100)])
	}
	list := []tile{{Name: "calls", Value: strconv.Itoa(n.Total)}}
	if !d.Done() {
		list = append(list, tile{Name: "waiting", Value: strconv.Itoa(n.Waiting)}, tile{Name: "running", Value: strconv.Itoa(n.Running)})
	}
	list = append(list, tile{Name: "done", Value: strconv.Itoa(n.Done)}, tile{Name: "failed", Value: strconv.Itoa(n.Failed)},
		tile{Name: "duration", Value: format(d.Duration)}, tile{Name: "median", Value: median}, tile{Name: "p99", Value: p99},
		tile{Name: "colds", Value: strconv.Itoa(n.Cold)}, tile{Name: "gbs", Value: view.GBs(d.Job)})
	return s.labeled(list)
}

// rows returns table rows starting at index from, and the index of the next rows, which is 0 after the last row.
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
		Duration: "-", Error: s.callError(c), Cold: c.Cold,
	}
	if !c.Started.IsZero() {
		row.Start, row.Duration = clockTime(c.Started), s.o.Format.Duration(c.Duration(now))
		if !c.Submitted.IsZero() {
			row.Wait = s.o.Format.Duration(max(0, c.Started.Sub(c.Submitted)))
		}
	}
	return row
}

// callError returns why a call failed, on one line.
func (s *server) callError(c entity.Call) string {
	if c.Error != "" {
		return c.Error
	}
	return s.o.Format.Text(c.Cause)
}

// clockTime formats a local time of day. It includes the date if the date is not today.
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
