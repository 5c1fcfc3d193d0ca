package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// parts are the templates that an open page gets anew when they have changed; each is an event of its name.
var parts = []string{"faults", "jobs", "runtimes", "workers", "summary", "axis", "places", "curves", "rows1", "heard", "save", "stamp"}

// every is how often a page gets news.
const every = time.Second

// events sends a page what has changed, as server-sent events, until it is closed.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(w)
	sent := map[string]string{}
	there := r.FormValue("places") // which the page was made with
	tick := time.NewTicker(every)
	defer tick.Stop()
	defer s.feed.watching()()
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
			if ok && before == html || !ok && part == "places" && p.Job != nil && p.Job.Key() == there {
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
