package lithops

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// maxMetadata is the limit for metadata in bytes. OpenWhisk allows results of 1 MB; 300 modules need 6 KB.
const maxMetadata = 4 << 20

// Preinstall is a module that is installed in a runtime.
type Preinstall struct {
	Module  string
	Package bool
}

// Metadata is the description that a runtime returns and the client stores (worker/utils.py: get_runtime_metadata).
type Metadata struct {
	Preinstalls    []Preinstall
	PythonVersion  string // "3.11"
	LithopsVersion string // empty before 2.3.1
	TimeoutS       int    // runtime_timeout in seconds, or 0 if missing; required by clients from 2.7.0 on (job/job.py)

	raw []member // all members as read, in order, so that unknown ones are kept
}

// Modules returns the names of the preinstalled modules, sorted.
func (m Metadata) Modules() []string {
	names := make([]string, len(m.Preinstalls))
	for i, p := range m.Preinstalls {
		names[i] = p.Module
	}
	sort.Strings(names)
	return names
}

// Payload returns the parameters of the metadata call to the action. It returns an error for releases before 2.2.11:
// their runtimes cannot return metadata, and their client registers a separate action for this purpose.
func Payload(version string) (map[string]any, error) {
	r := parseRelease(version)
	switch {
	case r.before(2, 2, 11):
		return nil, fault.New(fault.Invalid,
			i18n.M("Runtimes of Lithops {{.Version}} cannot report their metadata.", "Version", version),
			i18n.M("Install Lithops 2.2.11 or later with 'python3 -m pip install --upgrade lithops'."))
	case r.before(2, 7, 0):
		return map[string]any{"log_level": logLevelInfo, "get_preinstalls": true}, nil
	}
	return map[string]any{"log_level": logLevelInfo, "get_metadata": true}, nil
}

const logLevelInfo = 20 // logging.INFO

// member is one entry of a JSON object, with the unparsed value.
type member struct {
	name  string
	value json.RawMessage
}

var shortVersion = text.NewPattern(`^\d{1,2}\.\d{1,3}$`)

// ParseMetadata parses the result of the metadata call, or stored metadata, which has the same format. The data is
// untrusted.
func ParseMetadata(data []byte) (Metadata, error) {
	m, problem := parseMetadata(data)
	if problem != "" {
		return Metadata{}, fault.New(fault.Invalid,
			i18n.M("The metadata of the runtime is malformed: {{.What}}.", "What", problem),
			i18n.M("Redeploy the runtime with 'ibmcloud fn-runtime deploy'."))
	}
	return m, nil
}

func parseMetadata(data []byte) (m Metadata, problem string) {
	if len(data) > maxMetadata {
		return m, "it is too large"
	}
	var err error
	if m.raw, err = readMembers(data); err != nil {
		return m, "it is not a JSON object"
	}
	for _, e := range m.raw {
		switch e.name {
		case "preinstalls":
			if m.Preinstalls, err = readPreinstalls(e.value); err != nil {
				return m, "'preinstalls' is not a list of pairs of a name and a boolean"
			}
		case "python_version", "python_ver": // the latter before 2.3.1
			if json.Unmarshal(e.value, &m.PythonVersion) != nil || !shortVersion.MatchString(m.PythonVersion) {
				return m, "'" + e.name + "' is not a version such as 3.11"
			}
		case "lithops_version":
			if json.Unmarshal(e.value, &m.LithopsVersion) != nil || !versionOnly.MatchString(m.LithopsVersion) {
				return m, "'lithops_version' is not a version"
			}
		case "runtime_timeout":
			if json.Unmarshal(e.value, &m.TimeoutS) != nil {
				return m, "'runtime_timeout' is not a number of seconds"
			}
		}
	}
	switch {
	case m.Preinstalls == nil:
		return m, "'preinstalls' is missing"
	case m.PythonVersion == "":
		return m, "'python_version' is missing"
	}
	return m, ""
}

func readMembers(data []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var e member
		e.name, _ = name.(string)
		if err := d.Decode(&e.value); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return all, nil
}

func readPreinstalls(data json.RawMessage) ([]Preinstall, error) {
	var pairs [][]any
	if err := json.Unmarshal(data, &pairs); err != nil || pairs == nil {
		return nil, errors.New("not a list")
	}
	list := make([]Preinstall, 0, len(pairs))
	for _, p := range pairs {
		if len(p) != 2 {
			return nil, errors.New("not a pair")
		}
		module, isText := p[0].(string)
		pkg, isFlag := p[1].(bool)
		if !isText || !isFlag {
			return nil, errors.New("not a name and a boolean")
		}
		list = append(list, Preinstall{module, pkg})
	}
	return list, nil
}

// NeedsTimeout reports whether the client of a version fails if the metadata has no runtime_timeout (job/job.py).
func NeedsTimeout(version string) bool { return !parseRelease(version).before(2, 7, 0) }

// Encode returns the metadata as the client stores it: the unchanged result plus runtime_timeout in seconds, in the
// format of Python's json.dumps. The output is ASCII, because the client reads it as ASCII.
func Encode(m Metadata, timeoutS int) []byte {
	members := m.raw
	if members == nil {
		members = m.members()
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for _, e := range members {
		if e.name == "runtime_timeout" {
			continue
		}
		if out.Len() > 1 {
			out.WriteString(", ")
		}
		writePythonText(&out, e.name)
		out.WriteString(": ")
		writePython(&out, e.value)
	}
	if out.Len() > 1 {
		out.WriteString(", ")
	}
	out.WriteString(`"runtime_timeout": `)
	seconds, _ := json.Marshal(timeoutS)
	out.Write(seconds)
	out.WriteByte('}')
	return out.Bytes()
}

// members returns the members of metadata that was not read from JSON.
func (m Metadata) members() []member {
	pairs := make([][]any, len(m.Preinstalls))
	for i, p := range m.Preinstalls {
		pairs[i] = []any{p.Module, p.Package}
	}
	raw := func(v any) json.RawMessage { b, _ := json.Marshal(v); return b }
	return []member{
		{"preinstalls", raw(pairs)},
		{"python_version", raw(m.PythonVersion)},
		{"lithops_version", raw(m.LithopsVersion)},
	}
}
