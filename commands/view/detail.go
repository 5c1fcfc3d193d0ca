package view

import (
	"fmt"
	"strconv"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/text"
)

// detailDocument is one entry of show --output json.
type detailDocument struct {
	RuntimeDocument
	BundleDeployed string         `json:"bundle_deployed"` // SHA-256 of the handler archive; "" if unknown
	BundleCurrent  string         `json:"bundle_current"`
	DigestCurrent  string         `json:"digest_current"`
	ClientPython   string         `json:"client_python"`
	ClientLithops  string         `json:"client_lithops"`
	MetadataKey    string         `json:"metadata_key"`
	MetadataStored bool           `json:"metadata_stored"`
	CachePath      string         `json:"cache_path"`
	CacheState     string         `json:"cache_state"` // "same", "absent", "stale"
	Modules        []string       `json:"modules"`
	Drift          []string       `json:"drift"`
	Annotations    map[string]any `json:"annotations"`
}

func (v *View) detailDocument(d runtime.Detail) detailDocument {
	doc := detailDocument{
		RuntimeDocument: v.runtimeDocument(d.Runtime),
		BundleDeployed:  d.BundleDeployed, BundleCurrent: d.BundleCurrent, DigestCurrent: d.DigestCurrent,
		ClientPython: d.ClientPython, ClientLithops: d.ClientLithops,
		MetadataKey: d.MetadataKey, MetadataStored: d.MetadataStored, CachePath: d.CachePath, CacheState: d.CacheState,
		Modules: append([]string{}, d.Modules...), Drift: []string{}, Annotations: d.Annotations,
	}
	for _, m := range d.Drift {
		doc.Drift = append(doc.Drift, v.plain(m))
	}
	if doc.Annotations == nil {
		doc.Annotations = map[string]any{}
	}
	return doc
}

// Details shows all properties of the runtimes.
func (v *View) Details(list []runtime.Detail) error {
	if v.JSON {
		docs := make([]detailDocument, 0, len(list))
		for _, d := range list {
			docs = append(docs, v.detailDocument(d))
		}
		return v.Document(docs)
	}
	v.endProgress()
	for i, d := range list {
		if i > 0 {
			fmt.Fprintln(v.Out)
		}
		v.detail(d)
	}
	return nil
}

func (v *View) detail(d runtime.Detail) {
	state := v.state(d.State)
	if why := v.text(d.Reason); why != "" {
		state += ": " + why
	}
	stored := i18n.M("not stored")
	if d.MetadataStored {
		stored = i18n.M("stored")
	}
	c := func(s string) string { return text.Printable(s) }
	tagNow := "" // digest that the tag refers to, if it is not the deployed digest
	if d.Digest != "" && d.DigestCurrent != d.Digest {
		tagNow = c(d.DigestCurrent)
	}
	cpu := ""
	if d.MilliCPU > 0 {
		cpu = strconv.FormatFloat(float64(d.MilliCPU)/1000, 'f', -1, 64)
	}
	namespace, action := i18n.M("Namespace"), i18n.M("Action")
	if d.Backend == runtime.BackendCodeEngine {
		namespace, action = i18n.M("Project"), i18n.M("Job")
	}
	v.pairs([]pair{
		{i18n.M("Name"), paint(v.OutColor, entityName, c(d.Name))},
		{i18n.M("Image"), c(d.Image)},
		{i18n.M("Digest"), c(d.Digest)},
		{i18n.M("Tag now"), tagNow},
		{i18n.M("State"), state},
		{i18n.M("Memory"), strconv.Itoa(d.MemoryMB) + " MB"},
		{i18n.M("vCPU"), cpu},
		{i18n.M("Timeout"), strconv.Itoa(d.TimeoutS) + " s"},
		{i18n.M("Python"), v.versionText(d.PythonVersion, d.ClientPython)},
		{i18n.M("Lithops"), v.versionText(d.LithopsVersion, d.ClientLithops)},
		{i18n.M("Backend"), c(d.Backend)},
		{i18n.M("Region"), c(d.Region)},
		{namespace, c(d.Namespace)},
		{i18n.M("Package"), c(d.ID.Group)},
		{action, c(d.ID.Name)},
		{i18n.M("Metadata"), c(d.MetadataKey) + " (" + v.plain(stored) + ")"},
		{i18n.M("Local cache"), c(d.CachePath) + " (" + v.plain(cacheText(d.CacheState)) + ")"},
		{i18n.M("Lithops code"), shortHash(c(d.BundleDeployed))},
		{i18n.M("Updated"), shortTime(d.UpdatedAt)},
		{i18n.M("Modules"), v.modules(d.Modules)},
	})
	for _, m := range d.Drift {
		v.Print(m)
	}
	if d.State != runtime.Ready {
		v.Print(advice(d.State, 1))
	}
}

// versionText returns a version, and the version of the client if it is different.
func (v *View) versionText(have, client string) string {
	have, client = dash(text.Printable(have)), text.Printable(client)
	if client == "" || client == have {
		return have
	}
	return v.plain(i18n.M("{{.Version}} (the client has {{.Client}})", "Version", have, "Client", client))
}

func cacheText(state string) i18n.Message {
	switch state {
	case runtime.CacheSame:
		return i18n.M("in sync")
	case runtime.CacheStale:
		return i18n.M("stale")
	case runtime.CacheAbsent:
		return i18n.M("absent")
	}
	return i18n.M("{{.State}}", "State", state)
}

// modules returns the number of modules and the first names.
func (v *View) modules(names []string) string {
	if len(names) == 0 {
		return ""
	}
	const first = 8
	shown := names[:min(first, len(names))]
	s := strconv.Itoa(len(names)) + ": " + text.Printable(strings.Join(shown, ", "))
	if len(names) > first {
		s += ", ..."
	}
	return s
}

// shortHash returns the first 12 characters of a hash.
func shortHash(hash string) string {
	if len(hash) > 12 {
		return hash[:12]
	}
	return hash
}
