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
	Time       *string `json:"time"` // null where the service does not tell
	Runtime    string  `json:"runtime"`
	Job        string  `json:"job"`  // "" for a call that is of no job
	Call       string  `json:"call"` // "00003", or ""
	Activation string  `json:"activation_id"`
	Stream     string  `json:"stream"` // "stdout" or "stderr", or ""
	Failed     bool    `json:"failed"` // the call failed
	Text       string  `json:"text"`
}

// LogLine shows a line that a call wrote: time, runtime, job and call, or else the activation, then the text. As JSON it
// is an object on a line of its own.
func (v *View) LogLine(l entity.LogLine) error {
	v.endProgress()
	if !l.Note.IsZero() {
		l.Text = v.plain(l.Note)
	}
	if v.JSON {
		return v.jsonLine(logLineDocument{stamp(l), text.Printable(l.Runtime), l.Job, l.Call, text.Printable(l.Activation), l.Stream, l.Failed, text.Printable(l.Text)})
	}
	when := strings.Repeat(" ", len(logTime))
	if !l.Time.IsZero() {
		when = l.Time.UTC().Format(logTime)
	}
	who, mark := strings.TrimSuffix(l.Job+"/"+l.Call, "/"), entityName
	if l.Job == "" {
		who = text.Line(l.Activation, 64)[:min(8, len(text.Line(l.Activation, 64)))]
	}
	if l.Failed {
		mark = failure
	}
	_, err := fmt.Fprintln(v.Out, when, shortRuntime(l.Runtime), paint(v.OutColour, mark, who), text.Printable(l.Text))
	return err
}

const logTime = "2006-01-02T15:04:05.000Z"

func stamp(l entity.LogLine) *string {
	if l.Time.IsZero() {
		return nil
	}
	s := l.Time.UTC().Format("2006-01-02T15:04:05.000000000Z")
	return &s
}

// shortRuntime is the last part of an image's name, which tells those of one project apart.
func shortRuntime(name string) string {
	return dash(text.Printable(strings.TrimPrefix(path.Base("/"+name), "/")))
}

// jsonLine writes a document on one line, safe for a terminal as its texts are.
func (v *View) jsonLine(doc any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return err
	}
	if v.filter != nil {
		return v.filtered(b.Bytes())
	}
	_, err := v.Out.Write(b.Bytes())
	return err
}
