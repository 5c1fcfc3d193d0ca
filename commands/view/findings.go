package view

import (
	"fmt"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/text"
)

// invocationDocument is one entry of invoke --output json.
type invocationDocument struct {
	ActivationID string `json:"activation_id"`
	Cold         bool   `json:"cold"`
	TotalMS      int64  `json:"total_ms"` // measured by this plug-in
	InitMS       int64  `json:"init_ms"`
	RunMS        int64  `json:"run_ms"`
	WaitMS       int64  `json:"wait_ms"`
}

// Invocations shows the measured calls of invoke.
func (v *View) Invocations(list []runtime.Invocation) error {
	if v.JSON {
		docs := make([]invocationDocument, 0, len(list))
		for _, i := range list {
			docs = append(docs, invocationDocument{i.ActivationID, i.Cold, i.Total.Milliseconds(), i.InitMS, i.RunMS, i.WaitMS})
		}
		return v.Document(docs)
	}
	v.ok()
	t := table{header: []i18n.Message{i18n.M("Activation"), i18n.M("Start"), i18n.M("Total"), i18n.M("Init"), i18n.M("Run"), i18n.M("Wait")}}
	for _, i := range list {
		start := i18n.M("Warm")
		if i.Cold {
			start = i18n.M("Cold")
		}
		ms := func(n int64) string { return fmt.Sprintf("%d ms", n) }
		t.rows = append(t.rows, []string{text.Printable(i.ActivationID), v.plain(start), ms(i.Total.Milliseconds()), ms(i.InitMS), ms(i.RunMS), ms(i.WaitMS)})
	}
	v.table(t)
	return nil
}

// CheckDocument is one entry of doctor --output json.
type CheckDocument struct {
	Region  string `json:"region,omitempty"` // with --regions
	Name    string `json:"name"`
	Status  string `json:"status"` // "ok", "warning", "failed", "repaired", "skipped"
	Finding string `json:"finding"`
	Remedy  string `json:"remedy"`
	TookMS  int64  `json:"took_ms"`
}

// ChecksDocument is the JSON of doctor.
type ChecksDocument struct {
	Checks []CheckDocument `json:"checks"`
}

// ChecksDocument returns the document of doctor's checks.
func (v *View) ChecksDocument(list []runtime.Check) ChecksDocument {
	doc := ChecksDocument{Checks: []CheckDocument{}}
	for _, c := range list {
		doc.Checks = append(doc.Checks, CheckDocument{c.Region, c.Name, string(c.Status), v.plain(c.Finding), v.plain(c.Remedy), c.Took.Milliseconds()})
	}
	return doc
}

// Checks shows doctor's findings, each with its suggested fix, if any.
func (v *View) Checks(list []runtime.Check) {
	v.endProgress()
	width := 0
	for _, c := range list {
		width = max(width, displayWidth(v.plain(checkText(c.Status))))
	}
	for _, c := range list {
		word := v.plain(checkText(c.Status))
		pad := strings.Repeat(" ", width-displayWidth(word))
		name := text.Printable(c.Name)
		if c.Region != "" {
			name = c.Region + " " + name
		}
		below := strings.Repeat(" ", width) + gap
		v.out().paragraph(name+": "+v.text(c.Finding), paint(v.OutColor, checkStyle(c.Status), word)+pad+gap, below)
		if remedy := v.text(c.Remedy); remedy != "" {
			v.out().paragraph(remedy, below, below)
		}
	}
}

func checkText(s check.Status) i18n.Message {
	switch s {
	case check.OK:
		return i18n.M("OK")
	case check.Warning:
		return i18n.M("WARNING")
	case check.Failed:
		return i18n.M("FAILED")
	case check.Repaired:
		return i18n.M("REPAIRED")
	}
	return i18n.M("SKIPPED")
}

func checkStyle(s check.Status) style {
	switch s {
	case check.OK, check.Repaired:
		return success
	case check.Warning:
		return warning
	case check.Failed:
		return failure
	}
	return plain
}
