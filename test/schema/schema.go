// Package schema validates the JSON of the built binary against the schemas in docs/schema. It does not create
// documents.
package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"fn-runtime/test/harness"
)

// compiled caches the schemas of one test process.
type compiled struct {
	sync.Mutex
	all map[string]*jsonschema.Schema
}

// Check validates documents against schemas. The published schemas allow additional keys in later versions. A Check
// does not, so that every key must be described.
type Check struct{ schemas compiled }

// Valid fails the test unless text is one valid document of the named schema ("list" is docs/schema/list.json).
func (c *Check) Valid(t testing.TB, name, text string) {
	t.Helper()
	if err := c.Validate(t, name, text); err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
	}
}

// Validate is Valid, but returns an error instead of failing the test.
func (c *Check) Validate(t testing.TB, name, text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return c.schema(t, name).Validate(doc)
}

func (c *Check) schema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	c.schemas.Lock()
	defer c.schemas.Unlock()
	if c.schemas.all == nil {
		c.schemas.all = map[string]*jsonschema.Schema{}
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		for _, n := range names(t) {
			if err := compiler.AddResource(url(t, n), closed(read(t, n))); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range names(t) {
			s, err := compiler.Compile(url(t, n))
			if err != nil {
				t.Fatal(err)
			}
			c.schemas.all[n] = s
		}
	}
	s := c.schemas.all[name]
	if s == nil {
		t.Fatalf("docs/schema has no %s.json", name)
	}
	return s
}

// names returns the names of all schemas.
func names(t testing.TB) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(harness.Root(t), "docs", "schema", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return names
}

func url(t testing.TB, name string) string {
	return "file://" + filepath.ToSlash(filepath.Join(harness.Root(t), "docs", "schema", name+".json"))
}

func read(t testing.TB, name string) any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(harness.Root(t), "docs", "schema", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc
}

// closed returns a schema that forbids keys without a description.
func closed(node any) any {
	switch n := node.(type) {
	case map[string]any:
		for key, value := range n {
			n[key] = closed(value)
		}
		if _, described := n["properties"].(map[string]any); described && n["type"] == "object" {
			if _, said := n["additionalProperties"]; !said {
				n["additionalProperties"] = false
			}
		}
	case []any:
		for i := range n {
			n[i] = closed(n[i])
		}
	}
	return node
}
