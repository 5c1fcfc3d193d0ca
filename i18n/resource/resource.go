// Package resource updates the translations when texts in the source change. It is used by go generate and by the
// tests of the resource files. It is not part of the program.
package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Entry is one text of a resource file.
type Entry struct {
	ID string `json:"id"` // the English text; the plural if the text has two forms
	// Description is empty for an up-to-date translation. For a stale translation it is "stale: " and the previous
	// English text, which the translation belongs to.
	Description string `json:"description,omitempty"`
	Translation Forms  `json:"translation"`
}

const stale = "stale: "

// Stale reports whether the English text has changed since it was translated.
func (e Entry) Stale() bool { return e.Description != "" }

// translates returns the English text that the translation belongs to.
func (e Entry) translates() string {
	if e.Stale() {
		return strings.TrimPrefix(e.Description, stale)
	}
	return e.ID
}

// Forms maps the CLDR names of plural forms to translations. A text without plurals has one form with the name "".
type Forms map[string]string

// Plural reports whether the translation has plural forms. Some languages have only one plural form.
func (f Forms) Plural() bool {
	_, plain := f[""]
	return !plain
}

// UnmarshalJSON decodes a string or an object of plural forms.
func (f *Forms) UnmarshalJSON(data []byte) error {
	var plain string
	if json.Unmarshal(data, &plain) == nil {
		*f = Forms{"": plain}
		return nil
	}
	return json.Unmarshal(data, (*map[string]string)(f))
}

// MarshalJSON encodes a string or an object of plural forms.
func (f Forms) MarshalJSON() ([]byte, error) {
	if plain, ok := f[""]; ok {
		return encode(plain)
	}
	return encode(map[string]string(f))
}

// encode is like json.Marshal, but does not escape <, > and &, so that the files are readable.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// Read returns the entries of a resource file.
func Read(path string) ([]Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []Entry
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// Write writes a resource file with one entry per line.
func Write(path string, list []Entry) error {
	lines := make([][]byte, len(list))
	for i, e := range list {
		line, err := encode(e)
		if err != nil {
			return err
		}
		lines[i] = line
	}
	data := slices.Concat([]byte("[\n"), bytes.Join(lines, []byte(",\n")), []byte("\n]\n"))
	return os.WriteFile(path, data, 0o644) //nolint:gosec // a source file
}
