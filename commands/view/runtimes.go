package view

import (
	"fmt"
	"slices"
	"strconv"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/text"
)

// RuntimeDocument is one entry of list --output json.
type RuntimeDocument struct {
	Name           string  `json:"name"`
	Image          string  `json:"image"`
	Digest         string  `json:"digest"` // "" if unknown
	MemoryMB       int     `json:"memory_mb"`
	CPU            float64 `json:"cpu,omitempty"` // number of vCPUs; 0 if the backend does not support setting it
	TimeoutS       int     `json:"timeout_s"`
	PythonVersion  string  `json:"python_version"`
	LithopsVersion string  `json:"lithops_version"`
	Package        string  `json:"package"`
	Action         string  `json:"action"`
	Namespace      string  `json:"namespace"`
	Region         string  `json:"region"`
	Backend        string  `json:"backend"`
	State          string  `json:"state"`  // a runtime.State
	Reason         string  `json:"reason"` // why the runtime is not ready; "" if it is
	UpdatedAt      *string `json:"updated_at"`
}

func (v *View) runtimeDocument(r runtime.Runtime) RuntimeDocument {
	return RuntimeDocument{
		Name: r.Name, Image: r.Image, Digest: r.Digest, MemoryMB: r.MemoryMB, CPU: float64(r.MilliCPU) / 1000, TimeoutS: r.TimeoutS,
		PythonVersion: r.PythonVersion, LithopsVersion: r.LithopsVersion, Package: r.ID.Group, Action: r.ID.Name,
		Namespace: r.Namespace, Region: r.Region, Backend: r.Backend, State: string(r.State),
		Reason: v.plain(r.Reason), UpdatedAt: timestamp(r.UpdatedAt),
	}
}

func (v *View) runtimeDocuments(list []runtime.Runtime) []RuntimeDocument {
	docs := make([]RuntimeDocument, 0, len(list))
	for _, r := range list {
		docs = append(docs, v.runtimeDocument(r))
	}
	return docs
}

// RuntimesDocument is the JSON of list --regions if a region failed. It holds the runtimes of the other regions in
// addition to the error.
type RuntimesDocument struct {
	Runtimes []RuntimeDocument `json:"runtimes"`
	Regions  []RegionDocument  `json:"regions"`
}

// RuntimesDocument returns the document of an incomplete list.
func (v *View) RuntimesDocument(list []runtime.Runtime, regions []Region) RuntimesDocument {
	return RuntimesDocument{v.runtimeDocuments(list), v.regionDocuments(regions)}
}

// Runtimes shows the list of runtimes: a table, and for each state except Ready a line with the suggested action.
func (v *View) Runtimes(list []runtime.Runtime) error {
	if v.JSON {
		return v.Document(v.runtimeDocuments(list))
	}
	v.endProgress()
	if len(list) == 0 {
		v.Print(i18n.M("No runtimes found."))
		return nil
	}
	t := table{header: []i18n.Message{i18n.M("Name"), i18n.M("Memory"), i18n.M("Python"), i18n.M("Lithops"), i18n.M("State")}}
	showRegion := slices.ContainsFunc(list, func(r runtime.Runtime) bool { return r.Region != list[0].Region })
	if showRegion {
		t.header = slices.Insert(t.header, 1, i18n.M("Region"))
	}
	count := make(map[runtime.State]int)
	for _, r := range list {
		count[r.State]++
		memory := ""
		if r.MemoryMB > 0 { // 0 for metadata that several memory sizes share
			memory = strconv.Itoa(r.MemoryMB) + " MB"
		}
		row := []string{
			text.Printable(r.Name), dash(memory), dash(text.Printable(r.PythonVersion)),
			dash(text.Printable(r.LithopsVersion)), v.state(r.State),
		}
		if showRegion {
			row = slices.Insert(row, 1, text.Printable(r.Region))
		}
		t.rows = append(t.rows, row)
	}
	v.table(t)
	for _, s := range []runtime.State{runtime.NoMetadata, runtime.OrphanMetadata, runtime.VersionMismatch, runtime.PythonMismatch, runtime.Outdated} {
		if count[s] > 0 {
			v.Print(advice(s, count[s]))
		}
	}
	return nil
}

// RuntimeNames writes the names of the runtimes, one per line and without duplicates, for use by other programs.
func (v *View) RuntimeNames(list []runtime.Runtime) error {
	v.endProgress()
	written := map[string]bool{}
	for _, r := range list {
		if !written[r.Name] {
			written[r.Name] = true
			fmt.Fprintln(v.Out, text.Printable(r.Name))
		}
	}
	return nil
}

// Redraw prepares the output for a list that is shown again. It clears a terminal, and writes an empty line to other
// outputs unless first is true. With a filter it writes nothing.
func (v *View) Redraw(first bool) {
	v.endProgress()
	switch {
	case v.Filtered():
	case v.OutTTY && !v.Dumb:
		fmt.Fprint(v.Out, "\x1b[H\x1b[2J")
	case !first:
		fmt.Fprintln(v.Out)
	}
}

// dash returns "-" for an empty string.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// state returns the name of a state. The color shows its effect on the client.
func (v *View) state(s runtime.State) string {
	st := warning
	switch s {
	case runtime.Ready:
		st = success
	case runtime.OrphanMetadata, runtime.PythonMismatch: // jobs hang or fail
		st = failure
	}
	return paint(v.OutColor, st, v.plain(stateText(s)))
}

func stateText(s runtime.State) i18n.Message {
	switch s {
	case runtime.Ready:
		return i18n.M("Ready")
	case runtime.NoMetadata:
		return i18n.M("No metadata")
	case runtime.VersionMismatch:
		return i18n.M("Other Lithops")
	case runtime.PythonMismatch:
		return i18n.M("Other Python")
	case runtime.Outdated:
		return i18n.M("Outdated")
	case runtime.OrphanMetadata:
		return i18n.M("No runtime")
	}
	return i18n.M("{{.State}}", "State", string(s))
}

// advice returns what the user can do about n runtimes that are not ready.
func advice(s runtime.State, n int) i18n.Message {
	switch s {
	case runtime.NoMetadata:
		return i18n.M("No metadata ({{.Number}}): the client redeploys these runtimes itself. Store their metadata with 'ibmcloud fn-runtime update all'.", "Number", n)
	case runtime.OrphanMetadata:
		return i18n.M("No runtime ({{.Number}}): the client hangs when it uses this metadata. Delete the metadata with 'ibmcloud fn-runtime doctor --repair'.", "Number", n)
	case runtime.VersionMismatch:
		return i18n.M("Other Lithops ({{.Number}}): deployed for another Lithops release. Deploy them for the installed release with 'ibmcloud fn-runtime deploy IMAGE'.", "Number", n)
	case runtime.PythonMismatch:
		return i18n.M("Other Python ({{.Number}}): the client rejects these runtimes. Run 'ibmcloud fn-runtime deploy IMAGE' with an image that has the client's Python version.", "Number", n)
	}
	return i18n.M("Outdated ({{.Number}}): their Lithops code, image or metadata differs from what 'deploy' would create. Update them with 'ibmcloud fn-runtime update all'.", "Number", n)
}
