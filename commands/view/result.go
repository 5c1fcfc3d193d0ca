package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// ResultDocument is the JSON of deploy, update, delete, apply and clean: the plan and the outcome of each item. A dry
// run has the same format, and the status of every item is "planned".
type ResultDocument struct {
	DryRun   bool              `json:"dry_run"`
	Changed  bool              `json:"changed"` // the plan contains a change other than "unchanged"
	Items    []ItemDocument    `json:"items"`
	Runtimes []RuntimeDocument `json:"runtimes"`
	Regions  []RegionDocument  `json:"regions,omitempty"` // with --regions: one entry per region
}

// ItemDocument is one resource of a plan.
type ItemDocument struct {
	Change   string         `json:"change"` // "create", "update", "delete", "unchanged"
	Kind     string         `json:"kind"`
	Name     string         `json:"name"`
	Image    string         `json:"image,omitempty"`
	MemoryMB int            `json:"memory_mb,omitempty"`
	Region   string         `json:"region,omitempty"` // with --regions
	Reason   string         `json:"reason"`
	Status   string         `json:"status"` // "planned", "done", "failed", "skipped"
	Count    int64          `json:"count,omitempty"`
	TookMS   int64          `json:"took_ms"`
	Error    *ErrorDocument `json:"error,omitempty"`
}

// ResultDocument returns the document of a result.
func (v *View) ResultDocument(r runtime.Result, regions ...Region) ResultDocument {
	doc := ResultDocument{
		DryRun: r.DryRun, Changed: r.Changed(), Items: []ItemDocument{}, Runtimes: v.runtimeDocuments(r.Runtimes), Regions: v.regionDocuments(regions),
	}
	for _, it := range r.Items {
		item := ItemDocument{
			Change: string(it.Change), Kind: it.Word(), Name: it.Name, Image: it.Image, MemoryMB: it.Memory, Region: it.Region,
			Reason: v.plain(it.Reason), Status: string(it.Status), Count: it.Count, TookMS: it.Took.Milliseconds(),
		}
		if it.Err != nil {
			e := v.errorDocument(it.Err)
			item.Error = &e
		}
		doc.Items = append(doc.Items, item)
	}
	return doc
}

// Result shows the changes of a result, or the plan of a dry run. With Quiet it shows only the plan of a dry run,
// because the user requested the plan.
func (v *View) Result(r runtime.Result, regions ...Region) error {
	if v.JSON {
		return v.Document(v.ResultDocument(r, regions...))
	}
	v.endProgress()
	if v.Quiet && !r.DryRun {
		return nil
	}
	if !r.DryRun {
		v.ok()
	}
	v.items(r)
	v.Print(summary(r))
	return nil
}

// PartialResult shows the completed and the failed items of an operation that ended with an error. The caller shows the
// error afterwards, so PartialResult omits the item errors that are part of it.
func (v *View) PartialResult(r runtime.Result, err error) {
	if v.JSON || len(r.Items) == 0 {
		return
	}
	v.endProgress()
	message, _ := v.message(err)
	r.Items = slices.Clone(r.Items)
	for i, it := range r.Items {
		if it.Err != nil {
			if why, _ := v.message(it.Err); strings.Contains(message, why) {
				r.Items[i].Reason, r.Items[i].Err = i18n.Message{}, nil
			}
		}
	}
	v.items(r)
}

// Plan shows a plan on Err, before a question about it.
func (v *View) Plan(r runtime.Result) {
	defer v.pause()()
	shown := *v
	shown.Out, shown.OutColor, shown.OutTTY = v.Err, v.ErrColor, v.ErrTTY
	r.DryRun = true
	shown.items(r)
}

// items writes the table of a plan.
func (v *View) items(r runtime.Result) {
	t := table{header: []i18n.Message{i18n.M("Name"), i18n.M("Memory"), i18n.M("Kind"), i18n.M("Change"), i18n.M("Status"), i18n.M("Reason")}}
	if r.DryRun {
		t.header = append(t.header[:4:4], t.header[5])
	}
	showRegion := slices.ContainsFunc(r.Items, func(it runtime.Item) bool { return it.Region != "" })
	if showRegion {
		t.header = slices.Insert(t.header, 1, i18n.M("Region"))
	}
	for _, it := range visible(r.Items) {
		row := []string{itemName(it), itemMemory(it), v.plain(kindText(it)), v.plain(changeText(it.Change))}
		if showRegion {
			row = slices.Insert(row, 1, dash(it.Region))
		}
		if !r.DryRun {
			row = append(row, v.plain(statusText(it.Status)))
		}
		why := v.plain(it.Reason)
		if it.Err != nil {
			why, _ = v.message(it.Err)
		}
		t.rows = append(t.rows, append(row, why))
	}
	reason := len(t.header) - 1
	t.prose = slices.ContainsFunc(t.rows, func(row []string) bool { return row[reason] != "" })
	t.dropEmpty()
	if len(t.rows) > 0 {
		v.table(t)
	}
}

// visible returns the items that the table shows. It omits unchanged resources other than runtimes. It also omits the
// metadata and the cache entry of a runtime if they have the same change and status as the runtime, or if they were
// skipped because the runtime failed. The JSON document contains all items.
func visible(items []runtime.Item) []runtime.Item {
	type outcome struct {
		image  string
		memory int
		region string
		change runtime.Change
		status runtime.Status
	}
	outcomeOf := func(it runtime.Item) outcome {
		return outcome{it.Image, it.Memory, it.Region, it.Change, it.Status}
	}
	runtimes := make(map[outcome]bool)
	for _, it := range items {
		if it.Kind != runtime.KindRuntime || it.Image == "" {
			continue
		}
		runtimes[outcomeOf(it)] = true
		if it.Status == runtime.Failed { // its metadata and cache entry were skipped, whatever their planned change
			for _, change := range []runtime.Change{runtime.Create, runtime.Update, runtime.Delete} {
				runtimes[outcome{it.Image, it.Memory, it.Region, change, runtime.Skipped}] = true
			}
		}
	}
	var list []runtime.Item
	for _, it := range items {
		belongs := (it.Kind == runtime.KindMetadata || it.Kind == runtime.KindCache) && runtimes[outcomeOf(it)]
		same := it.Change == runtime.Unchanged && it.Kind != runtime.KindRuntime
		if it.Status == runtime.Failed || !belongs && !same {
			list = append(list, it)
		}
	}
	return list
}

// itemName returns the name of an item in a table. The name of a runtime is its image.
func itemName(it runtime.Item) string {
	if it.Kind != runtime.KindRuntime {
		return text.Printable(it.Name)
	}
	return text.Printable(cmp.Or(it.Image, it.Name))
}

// itemMemory returns the memory size of a runtime. It returns "" for other items, whose names contain the memory size.
func itemMemory(it runtime.Item) string {
	if it.Kind != runtime.KindRuntime || it.Memory == 0 {
		return ""
	}
	return strconv.Itoa(it.Memory) + " MB"
}

// summary returns a message with the number of visible changes of each kind.
func summary(r runtime.Result) i18n.Message {
	n, prerequisites := make(map[runtime.Change]int), 0
	for _, it := range visible(r.Items) {
		n[it.Change]++
		if it.Change == runtime.Create && (it.Kind == runtime.KindResource || it.Kind == runtime.KindScope || it.Kind == runtime.KindBucket) {
			prerequisites++
		}
	}
	if prerequisites < n[runtime.Create] { // do not count the resources that were created only because runtimes need them
		n[runtime.Create] -= prerequisites
	}
	switch {
	case !r.Changed() && len(r.Items) == 0:
		return i18n.M("Nothing to do.")
	case !r.Changed():
		return i18n.M("Everything is up to date. Nothing was changed.")
	}
	args := []any{"Created", n[runtime.Create], "Updated", n[runtime.Update], "Deleted", n[runtime.Delete], "Unchanged", n[runtime.Unchanged]}
	if r.DryRun {
		return i18n.M("Plan: {{.Created}} to create, {{.Updated}} to update, {{.Deleted}} to delete, {{.Unchanged}} unchanged. Nothing was changed.", args...)
	}
	return i18n.M("Created: {{.Created}}, updated: {{.Updated}}, deleted: {{.Deleted}}, unchanged: {{.Unchanged}}.", args...)
}

func kindText(it runtime.Item) i18n.Message {
	switch it.Kind {
	case runtime.KindScope, runtime.KindResource:
		return it.Term.Text
	case runtime.KindRuntime:
		return i18n.M("Runtime")
	case runtime.KindMetadata:
		return i18n.M("Metadata")
	case runtime.KindCache:
		return i18n.M("Local cache")
	case runtime.KindBucket:
		return i18n.M("Bucket")
	case runtime.KindObjects:
		if it.Count > 0 {
			return i18n.N("{{.Count}} object", "{{.Count}} objects", int(it.Count))
		}
		return i18n.M("Objects")
	case runtime.KindFiles:
		return i18n.M("Files")
	case runtime.KindImage:
		return i18n.M("Image")
	}
	return i18n.M("{{.Kind}}", "Kind", it.Kind)
}

func changeText(c runtime.Change) i18n.Message {
	switch c {
	case runtime.Create:
		return i18n.M("Create")
	case runtime.Update:
		return i18n.M("Update")
	case runtime.Delete:
		return i18n.M("Delete")
	}
	return i18n.M("Unchanged")
}

func statusText(s runtime.Status) i18n.Message {
	switch s {
	case runtime.Planned:
		return i18n.M("Planned")
	case runtime.Done:
		return i18n.M("Done")
	case runtime.Failed:
		return i18n.M("Failed")
	}
	return i18n.M("Not tried")
}

// Unfinished returns an error if the result has failed items. It returns nil otherwise.
func Unfinished(r runtime.Result) error {
	failed, rest := 0, 0
	for _, it := range r.Items {
		switch it.Status {
		case runtime.Failed:
			failed++
		case runtime.Skipped:
			rest++
		}
	}
	if failed == 0 {
		return nil
	}
	return fault.New(fault.Failed,
		i18n.M("Failed: {{.Failed}}, not tried: {{.Rest}}.", "Failed", failed, "Rest", rest),
		i18n.M("Fix the errors above and rerun; completed steps are skipped."))
}

// shortTime formats a time for tables, in local time and without seconds.
func shortTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}
