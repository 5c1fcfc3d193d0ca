// Package resource keeps the translations in step with the texts of the source. The program itself does not need it: go
// generate does, and the tests of what is written in resource files.
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
	ID string `json:"id"` // the English text; of a plural the form for many
	// Description is empty, or says, after "stale: ", which English text the translation is of: the source has changed it.
	Description string `json:"description,omitempty"`
	Translation Forms  `json:"translation"`
}

const stale = "stale: "

// Stale reports whether the English text was changed after it was translated.
func (e Entry) Stale() bool { return e.Description != "" }

// translates is the English text that the translation is of.
func (e Entry) translates() string {
	if e.Stale() {
		return strings.TrimPrefix(e.Description, stale)
	}
	return e.ID
}

// Forms is a translation by plural form, as CLDR names them; a text without plurals has one, with the empty name.
type Forms map[string]string

// Plural reports whether there are forms for different numbers, which in some languages is one form.
func (f Forms) Plural() bool {
	_, plain := f[""]
	return !plain
}

// UnmarshalJSON reads a string, or an object of plural forms.
func (f *Forms) UnmarshalJSON(data []byte) error {
	var plain string
	if json.Unmarshal(data, &plain) == nil {
		*f = Forms{"": plain}
		return nil
	}
	return json.Unmarshal(data, (*map[string]string)(f))
}

// MarshalJSON writes a string, or an object of plural forms.
func (f Forms) MarshalJSON() ([]byte, error) {
	if plain, ok := f[""]; ok {
		return encode(plain)
	}
	return encode(map[string]string(f))
}

// encode is json.Marshal that leaves <, > and & as they are, to be read by people.
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

// Write writes a resource file, one entry a line.
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
