package dashboard

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"sync"

	"fn-runtime/runtime/entity"
)

//go:embed assets templates
var content embed.FS

// server answers the browser that was let in.
type server struct {
	http.ServeMux
	o      Options
	feed   *feed
	labels map[string]string
	html   *template.Template

	mu   sync.Mutex
	last *jobView // that was laid out
}

func newServer(o Options) *server {
	s := &server{
		o: o, feed: &feed{o: o, opened: make(chan struct{})}, labels: labels(o.Format),
		html: template.Must(template.ParseFS(content, "templates/*")),
	}
	s.Handle("GET /assets/", http.FileServerFS(content))
	s.HandleFunc("GET /{$}", s.first)
	s.HandleFunc("GET /events", s.events)
	s.HandleFunc("GET /lanes", s.lanes)
	s.HandleFunc("GET /calls", s.calls)
	s.HandleFunc("GET /call", s.call)
	s.HandleFunc("GET /timeline.svg", s.picture)
	return s
}

// show writes a template as a whole or not at all.
func (s *server) show(w http.ResponseWriter, name string, data any) {
	var out bytes.Buffer
	if err := s.html.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
}

func (s *server) first(w http.ResponseWriter, r *http.Request) {
	s.show(w, "page", s.model(r.FormValue("job")))
}

func (s *server) opened(w http.ResponseWriter, r *http.Request) {
	s.show(w, "opened", page{Locale: s.locale(), T: s.labels, Start: s.o.First})
}

func (s *server) denied(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusForbidden)
	s.show(w, "denied", page{Locale: s.locale(), T: s.labels})
}

// asked is the job that a request names; it answers itself, and gives nil, where there is none.
func (s *server) asked(w http.ResponseWriter, r *http.Request) *jobView {
	v := s.view(r.FormValue("job"))
	if v == nil {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
	}
	return v
}

// lanes answers with the picture of a part of the lanes.
func (s *server) lanes(w http.ResponseWriter, r *http.Request) {
	j := s.asked(w, r)
	if j == nil {
		return
	}
	t := j.timeline
	first, _ := strconv.Atoi(r.FormValue("first"))
	if first < 1 || first > len(t.Calls) {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	s.show(w, "chunk", t.draw(first, min(first+perChunk-1, len(t.Calls)), s.o.Format.Duration))
}

// tableView is a part of the table of calls.
type tableView struct {
	T    map[string]string
	Job  string
	Rows []callRow
	More int // where the rows go on; 0 when there are no more
}

// calls answers with more rows of the table.
func (s *server) calls(w http.ResponseWriter, r *http.Request) {
	j := s.asked(w, r)
	if j == nil {
		return
	}
	from, _ := strconv.Atoi(r.FormValue("from"))
	v := tableView{T: s.labels, Job: j.ID}
	v.Rows, v.More = s.rows(j.timeline, max(0, from))
	s.show(w, "rows", v)
}

// callView is a call with all that is known of it.
type callView struct {
	T      map[string]string
	Row    callRow
	Call   entity.Call
	Init   string
	Lines  []logRow
	Fault  faultText
	Memory string
}

type logRow struct{ Time, Stream, Text string }

// call answers with one call, its error and its log.
func (s *server) call(w http.ResponseWriter, r *http.Request) {
	j := s.asked(w, r)
	if j == nil {
		return
	}
	t := j.timeline
	lane, _ := strconv.Atoi(r.FormValue("lane"))
	if lane < 1 || lane > len(t.Calls) {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	c := t.Calls[lane-1]
	v := callView{T: s.labels, Row: s.callRow(c, lane, t.now), Call: c, Memory: strconv.Itoa(c.MemoryMB) + " MB"}
	if c.Init > 0 {
		v.Init = s.o.Format.Duration(c.Init)
	}
	lines, err := s.o.Logs(r.Context(), c)
	if err != nil {
		v.Fault.Message, v.Fault.Recovery = s.o.Format.Error(err)
	}
	for _, l := range lines {
		row := logRow{Stream: l.Stream, Text: l.Text}
		if !l.Time.IsZero() {
			row.Time = l.Time.Local().Format("15:04:05.000")
		}
		v.Lines = append(v.Lines, row)
	}
	s.show(w, "call", v)
}

// picture answers with the timeline as a file.
func (s *server) picture(w http.ResponseWriter, r *http.Request) {
	j := s.asked(w, r)
	if j == nil {
		return
	}
	data, err := s.draw(j)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "timeline-"+j.ID+".svg"))
	_, _ = w.Write(data)
}
