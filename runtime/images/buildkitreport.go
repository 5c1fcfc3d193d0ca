package images

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/runtime/images/buildkit"
)

// IDs of BuildKit's messages in the Engine's stream (moby, builder/builder-next).
const (
	traceMessage = "moby.buildkit.trace"
	imageMessage = "moby.image.id"
)

// maxSteps limits the recorded steps of a build. A Dockerfile has a few hundred steps at most.
const maxSteps = 5000

// buildKitReport processes BuildKit's trace.
type buildKitReport struct {
	out    *printer
	steps  map[string]*buildKitStep // by digest
	failed *buildKitStep
	latest *buildKitStep
	id     string
}

type buildKitStep struct {
	name            string
	text            tail
	announced, done bool
}

func (r *buildKitReport) message(m jsonmessage.JSONMessage) {
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

func (r *buildKitReport) status(s buildkit.Status) {
	for _, v := range s.Vertexes {
		r.vertex(v)
	}
	for _, l := range s.Logs {
		step := r.stepFor(l.Vertex)
		if step == nil {
			continue
		}
		for _, line := range step.text.write(string(l.Data)) {
			r.out.detail(line)
		}
	}
}

func (r *buildKitReport) vertex(v buildkit.Vertex) {
	step := r.stepFor(v.Digest)
	if step == nil {
		return
	}
	step.name = sanitize(strings.Join(strings.Fields(v.Name), " "))
	internal := strings.HasPrefix(step.name, "[internal]") || step.name == "copy /context /"
	if !v.Started.IsZero() && !step.announced {
		step.announced, r.latest = true, step
		if !internal && !v.Cached {
			r.out.line(truncate(step.name))
		}
	}
	if v.Error != "" && r.failed == nil && !strings.Contains(v.Error, "context canceled") {
		r.failed = step
	}
	if !v.Completed.IsZero() && !step.done {
		step.done = true
		switch took := v.Completed.Sub(v.Started); {
		case internal || v.Error != "":
		case v.Cached:
			r.out.line(truncate(step.name) + " (cached)")
		case took >= 100*time.Millisecond:
			r.out.line(fmt.Sprintf("%s (done in %.1f s)", truncate(step.name), took.Seconds()))
		}
	}
}

// maxShown limits the name of a step in progress lines, in characters. The fault of a failed step contains the full
// name.
const maxShown = 100

func truncate(name string) string {
	if runes := []rune(name); len(runes) > maxShown {
		return string(runes[:maxShown]) + "..."
	}
	return name
}

func (r *buildKitReport) stepFor(digest string) *buildKitStep {
	step := r.steps[digest]
	if step == nil && len(r.steps) < maxSteps {
		if r.steps == nil {
			r.steps = map[string]*buildKitStep{}
		}
		step = &buildKitStep{}
		r.steps[digest] = step
	}
	return step
}

func (r *buildKitReport) step() (string, []string) {
	step := r.failed
	if step == nil {
		step = r.latest
	}
	if step == nil {
		return "", nil
	}
	return step.name, step.text.last()
}

func (r *buildKitReport) image() string { return r.id }
