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

// server handles the requests of the authenticated browser.
type server struct {
	http.ServeMux
	o      Options
	feed   *feed
	labels map[string]string
	html   *template.Template

	mu   sync.Mutex
	last *jobView // most recent view
}

func newServer(o Options) *server {
	s := &server{
		o: o, feed: &feed{o: o, opened: make(chan struct{})}, labels: labels(o.Format),
		html: template.Must(template.ParseFS(content, "templates/*")),
	}
	s.Handle("GET /assets/", http.FileServerFS(content))
	s.HandleFunc("GET /{$}", s.index)
	s.HandleFunc("GET /events", s.events)
	s.HandleFunc("GET /lanes", s.lanes)
	s.HandleFunc("GET /calls", s.calls)
	s.HandleFunc("GET /call", s.call)
	s.HandleFunc("GET /timeline.svg", s.picture)
	return s
}

// render executes a template and writes the result. If the template fails, it writes only an error.
func (s *server) render(w http.ResponseWriter, name string, data any) {
	var out bytes.Buffer
	if err := s.html.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
}

func (s *server) index(w http.ResponseWriter, r *http.Request) {
	s.render(w, "page", s.model(r.FormValue("job")))
}

func (s *server) opened(w http.ResponseWriter, r *http.Request) {
	s.render(w, "opened", page{Locale: s.locale(), T: s.labels, Start: s.o.First})
}

func (s *server) denied(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusForbidden)
	s.render(w, "denied", page{Locale: s.locale(), T: s.labels})
}

// requestedJob returns the job that a request specifies. If the job does not exist, it writes a 404 response and
// returns nil.
func (s *server) requestedJob(w http.ResponseWriter, r *http.Request) *jobView {
	v := s.layoutJob(r.FormValue("job"))
	if v == nil {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
	}
	return v
}

// lanes writes the drawing of one chunk of lanes.
func (s *server) lanes(w http.ResponseWriter, r *http.Request) {
	j := s.requestedJob(w, r)
	if j == nil {
		return
	}
	t := j.timeline
	first, _ := strconv.Atoi(r.FormValue("first"))
	if first < 1 || first > len(t.Calls) {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	s.render(w, "chunk", t.draw(first, min(first+lanesPerChunk-1, len(t.Calls)), s.o.Format.Duration))
}

// tableView is the template data of rows of the call table.
type tableView struct {
	T    map[string]string
	Job  string
	Rows []callRow
	More int // index of the next rows; 0 if there are no more rows
}

// calls writes more rows of the call table.
func (s *server) calls(w http.ResponseWriter, r *http.Request) {
	j := s.requestedJob(w, r)
	if j == nil {
		return
	}
	from, _ := strconv.Atoi(r.FormValue("from"))
	v := tableView{T: s.labels, Job: j.ID}
	v.Rows, v.More = s.rows(j.timeline, max(0, from))
	s.render(w, "rows", v)
}

// callView is the template data of a call.
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

// call writes one call with its error and its log.
func (s *server) call(w http.ResponseWriter, r *http.Request) {
	j := s.requestedJob(w, r)
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
	s.render(w, "call", v)
}

// picture writes the timeline as an SVG file.
func (s *server) picture(w http.ResponseWriter, r *http.Request) {
	j := s.requestedJob(w, r)
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
