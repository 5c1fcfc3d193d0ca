package openwhisk

import (
	"context"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/apache/openwhisk-client-go/whisk"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// ListActivations returns the activations of the namespace that started at or after since, newest first.
func (c *Compute) ListActivations(ctx context.Context, since time.Time, withLogs bool) iter.Seq2[entity.Activation, error] {
	return func(yield func(entity.Activation, error) bool) {
		err := c.client.Find(ctx)
		if err != nil && !fault.Is(err, fault.NotFound) {
			yield(entity.Activation{}, err)
		}
		if err != nil {
			return
		}
		for run, err := range c.client.activations(ctx, since, withLogs) {
			if !yield(run, err) || err != nil {
				return
			}
		}
	}
}

// activations returns the activations that started at or after since. It requests the next page in advance. With
// withLogs the activations contain their logs if the installation stores logs in the activation records.
func (c *Client) activations(ctx context.Context, since time.Time, withLogs bool) iter.Seq2[entity.Activation, error] {
	path := "activations?pending=true&docs=" + strconv.FormatBool(withLogs)
	if !since.IsZero() {
		path += "&since=" + strconv.FormatInt(since.UnixMilli(), 10)
	}
	return list(ctx, c, subject{"activations", ""},
		func(r record) string { return r.ActivationID }, toActivation, path)
}

// applyAnnotations sets the fields of e that are stored in the annotations of an activation.
func applyAnnotations(e *entity.Activation, annotations whisk.KeyValueArr) {
	for _, x := range annotations {
		switch x.Key {
		case "path": // namespace/package/action
			parts := strings.Split(stringValue(x.Value), "/")
			if len(parts) >= 2 {
				e.Runtime.Name = text.Line(parts[len(parts)-1], maxEntityName)
			}
			if len(parts) == 3 {
				e.Runtime.Group = text.Line(parts[1], maxEntityName)
			}
		case "limits":
			if limits, ok := x.Value.(map[string]any); ok {
				mb, _ := limits["memory"].(float64)
				e.MemoryMB = int(min(max(mb, 0), 1<<30))
			}
		case "timeout":
			e.TimedOut, _ = x.Value.(bool)
		case entity.NotePending:
			if pending, _ := x.Value.(bool); pending {
				e.Done, e.Success = false, false
			}
		case entity.NoteWork:
			e.Work = parseWork(x)
		}
	}
}

func stringValue(v any) string {
	s, _ := v.(string)
	return s
}

// parseWork parses the annotation of the local endpoint. It returns nil if the annotation is malformed.
func parseWork(x whisk.KeyValue) *entity.Work {
	data, err := json.Marshal(x.Value)
	var w entity.Work
	if err != nil || json.Unmarshal(data, &w) != nil {
		return nil
	}
	return &w
}
