package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/text"
)

// logLineDocument is one line of logs --output json.
type logLineDocument struct {
	Time       *string `json:"time"` // null if the service does not provide it
	Runtime    string  `json:"runtime"`
	Job        string  `json:"job"`  // "" for a call without a job
	Call       string  `json:"call"` // "00003", or ""
	Activation string  `json:"activation_id"`
	Stream     string  `json:"stream"` // "stdout" or "stderr", or ""
	Failed     bool    `json:"failed"` // the call failed
	Text       string  `json:"text"`
}

// LogLine shows a log line of a call: time, runtime, job and call, and the text. Without a job it shows the start of
// the activation ID instead. With JSON it writes one object per line.
func (v *View) LogLine(l entity.LogLine) error {
	v.endProgress()
	if !l.Note.IsZero() {
		l.Text = v.plain(l.Note)
	}
	if v.JSON {
		return v.jsonLine(logLineDocument{logTimestamp(l), text.Printable(l.Runtime), l.Job, l.Call, text.Printable(l.Activation), l.Stream, l.Failed, text.Printable(l.Text)})
	}
	when := strings.Repeat(" ", len(logTime))
	if !l.Time.IsZero() {
		when = l.Time.UTC().Format(logTime)
	}
	source, st := strings.TrimSuffix(l.Job+"/"+l.Call, "/"), entityName
	if l.Job == "" {
		source = text.Line(l.Activation, 64)[:min(8, len(text.Line(l.Activation, 64)))]
	}
	if l.Failed {
		st = failure
	}
	_, err := fmt.Fprintln(v.Out, when, shortRuntime(l.Runtime), paint(v.OutColor, st, source), text.Printable(l.Text))
	return err
}

const logTime = "2006-01-02T15:04:05.000Z"

func logTimestamp(l entity.LogLine) *string {
	if l.Time.IsZero() {
		return nil
	}
	s := l.Time.UTC().Format("2006-01-02T15:04:05.000000000Z")
	return &s
}

// shortRuntime returns the last part of an image name, which is enough to distinguish the images of one project.
func shortRuntime(name string) string {
	return dash(text.Printable(strings.TrimPrefix(path.Base("/"+name), "/")))
}

// jsonLine writes a document on one line. The caller has already sanitized its strings for a terminal.
func (v *View) jsonLine(doc any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return err
	}
	if v.filter != nil {
		return v.writeFiltered(b.Bytes())
	}
	_, err := v.Out.Write(b.Bytes())
	return err
}
