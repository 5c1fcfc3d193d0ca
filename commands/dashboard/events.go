package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// parts lists the templates whose output is sent to an open page again when it changes. The name of the event is the
// name of the template.
var parts = []string{"faults", "jobs", "runtimes", "workers", "summary", "axis", "chunks", "curves", "rows1", "announcement", "save", "stamp"}

// refreshInterval is how often a page receives changes.
const refreshInterval = time.Second

// events sends the changed parts to a page as server-sent events until the page is closed.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(w)
	sent := map[string]string{}
	initial := r.FormValue("layout") // jobView.Key of the layout that the page was rendered with
	tick := time.NewTicker(refreshInterval)
	defer tick.Stop()
	defer s.feed.addPage()()
	for {
		p := s.model(r.FormValue("job"))
		for _, part := range parts {
			var out bytes.Buffer
			if err := s.html.ExecuteTemplate(&out, part, p); err != nil {
				return
			}
			html := strings.TrimSpace(out.String())
			before, ok := sent[part]
			sent[part] = html
			if ok && before == html || !ok && part == "chunks" && p.Job != nil && p.Job.Key() == initial {
				continue
			}
			if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", part, strings.ReplaceAll(html, "\n", "\ndata: ")); err != nil {
				return
			}
		}
		if err := stream.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}
