package images

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/runtime/images/buildkit"
)

// The ids of BuildKit's messages in the Engine's stream (moby, builder/builder-next).
const (
	traceMessage = "moby.buildkit.trace"
	imageMessage = "moby.image.id"
)

// maxSteps bounds what is remembered of a build; a Dockerfile has at most some hundred steps.
const maxSteps = 5000

// kitReport reads BuildKit's trace.
type kitReport struct {
	out    *printer
	steps  map[string]*kitStep // by digest
	failed *kitStep
	latest *kitStep
	id     string
}

type kitStep struct {
	name            string
	text            tail
	announced, over bool
}

func (r *kitReport) message(m jsonmessage.JSONMessage) {
	if m.Aux == nil {
		return
	}
	switch m.ID {
	case imageMessage:
		var aux struct{ ID string }
		if json.Unmarshal(*m.Aux, &aux) == nil {
			r.id = aux.ID
		}
	case traceMessage:
		var data []byte
		if json.Unmarshal(*m.Aux, &data) != nil {
			return
		}
		if status, err := buildkit.Parse(data); err == nil {
			r.status(status)
		}
	}
}

func (r *kitReport) status(s buildkit.Status) {
	for _, v := range s.Vertexes {
		r.vertex(v)
	}
	for _, l := range s.Logs {
		step := r.at(l.Vertex)
		if step == nil {
			continue
		}
		for _, line := range step.text.write(string(l.Data)) {
			r.out.detail(line)
		}
	}
}

func (r *kitReport) vertex(v buildkit.Vertex) {
	step := r.at(v.Digest)
	if step == nil {
		return
	}
	step.name = clean(strings.Join(strings.Fields(v.Name), " "))
	internal := strings.HasPrefix(step.name, "[internal]") || step.name == "copy /context /"
	if !v.Started.IsZero() && !step.announced {
		step.announced, r.latest = true, step
		if !internal && !v.Cached {
			r.out.line(short(step.name))
		}
	}
	if v.Error != "" && r.failed == nil && !strings.Contains(v.Error, "context canceled") {
		r.failed = step
	}
	if !v.Completed.IsZero() && !step.over {
		step.over = true
		switch took := v.Completed.Sub(v.Started); {
		case internal || v.Error != "":
		case v.Cached:
			r.out.line(short(step.name) + " (cached)")
		case took >= 100*time.Millisecond:
			r.out.line(fmt.Sprintf("%s (done in %.1f s)", short(step.name), took.Seconds()))
		}
	}
}

// maxShown is how much of a step's name its lines of progress show, in characters; the fault of a failed one has it all.
const maxShown = 100

func short(name string) string {
	if runes := []rune(name); len(runes) > maxShown {
		return string(runes[:maxShown]) + "..."
	}
	return name
}

func (r *kitReport) at(digest string) *kitStep {
	step := r.steps[digest]
	if step == nil && len(r.steps) < maxSteps {
		if r.steps == nil {
			r.steps = map[string]*kitStep{}
		}
		step = &kitStep{}
		r.steps[digest] = step
	}
	return step
}

func (r *kitReport) step() (string, []string) {
	step := r.failed
	if step == nil {
		step = r.latest
	}
	if step == nil {
		return "", nil
	}
	return step.name, step.text.last()
}

func (r *kitReport) image() string { return r.id }
