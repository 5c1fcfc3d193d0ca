package lithops

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops/pyyaml"
)

// Document is a Lithops configuration that can be edited. Unchanged parts keep their values, order and comments.
type Document struct{ root *yaml.Node }

// headerMark starts the header comment that Text writes. Config.Document drops this comment.
const headerMark = "# Lithops configuration for "

// Document returns an editable copy of the configuration. It is empty if there is no configuration.
func (c *Config) Document() (*Document, error) {
	d := &Document{root: &yaml.Node{Kind: yaml.MappingNode}}
	if c == nil || !c.exists() {
		return d, nil
	}
	text := withoutHeader(c.data)
	var compact bytes.Buffer
	if c.source == environmentSource && json.Compact(&compact, text) == nil { // JSON may be indented with tabs, which YAML does not allow
		text = compact.Bytes()
	}
	root, err := pyyaml.Nodes(text)
	if err != nil || root == nil || root.Kind != yaml.MappingNode {
		return nil, fault.New(fault.Invalid,
			i18n.M("The Lithops configuration {{.Source}} cannot be updated.", "Source", c.source),
			i18n.M("Write it as sections with the keys indented below, or specify an empty file.")).Because(err)
	}
	d.root = root
	normalize(d.root)
	return d, nil
}

// withoutHeader returns text without the header that Document.Text wrote.
func withoutHeader(text []byte) []byte {
	if !bytes.HasPrefix(text, []byte(headerMark)) {
		return text
	}
	for len(text) > 0 && text[0] == '#' {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text
}

// normalize converts JSON to YAML in block style. It removes duplicate keys and keeps the last one, like PyYAML. It
// changes the style of scalars that the encoder would otherwise write as a different value.
func normalize(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.FoldedStyle
	if strings.ContainsAny(n.Value, "\u0085\u2028\u2029\ufeff") {
		n.Style = n.Style&yaml.TaggedStyle | yaml.DoubleQuotedStyle
	}
	if n.Kind == yaml.MappingNode {
		seen := map[string]bool{}
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			if k := n.Content[i]; k.Kind == yaml.ScalarNode && seen[k.Value] {
				n.Content = slices.Delete(n.Content, i, i+2)
			} else {
				seen[k.Value] = true
			}
		}
	}
	for _, c := range n.Content {
		normalize(c)
	}
}

// Empty reports whether the document has no sections.
func (d *Document) Empty() bool { return len(d.root.Content) == 0 }

// Has reports whether a section contains a value for a key.
func (d *Document) Has(section, key string) bool {
	s := lookup(d.root, section)
	return s != nil && lookup(s, key) != nil
}

// Set sets a key of a section to a string, a number or a boolean. It ignores zero values.
func (d *Document) Set(section, key string, v any) {
	switch v {
	case "", false, 0.0, int64(0):
		return
	}
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		return // does not happen for these types
	}
	setValue(d.section(section), key, &n)
}

// Delete removes a key from a section.
func (d *Document) Delete(section, key string) {
	if s := lookup(d.root, section); s != nil {
		removeKey(s, key)
	}
}

// section returns the mapping of a section. It creates a missing section and replaces an alias with a copy, so that
// changes do not affect the other section.
func (d *Document) section(name string) *yaml.Node {
	s := lookup(d.root, name)
	switch {
	case s == nil || s.Kind == yaml.ScalarNode:
		s = &yaml.Node{Kind: yaml.MappingNode}
		setValue(d.root, name, s)
	case s.Kind == yaml.AliasNode:
		s = deepCopy(s.Alias)
		setValue(d.root, name, s)
	}
	return s
}

// connectionKeys are the keys that together define the address of a service and the credentials for it. Merge removes
// the existing ones from a section, because they may not match the new ones.
var connectionKeys = []string{"endpoint", "private_endpoint", "region", "region_name", "namespace", "namespace_id", "project_name", "project_id", "api_key", "iam_api_key", "token",
	"token_expiry_time", "insecure", "storage_bucket", "access_key_id", "secret_access_key", "access_key", "secret_key", "session_token", "service_instance_id"}

// Merge merges another document into this one. Values of the other document take precedence; other keys are kept.
func (d *Document) Merge(over *Document) {
	for i := 0; i+1 < len(over.root.Content); i += 2 {
		name, from := over.root.Content[i].Value, over.root.Content[i+1]
		if from.Kind == yaml.AliasNode {
			from = from.Alias
		}
		if from.Kind != yaml.MappingNode {
			setValue(d.root, name, deepCopy(from))
			continue
		}
		to := d.section(name)
		if name != "lithops" {
			for _, key := range connectionKeys {
				if lookup(from, key) == nil {
					removeKey(to, key)
				}
			}
		}
		for j := 0; j+1 < len(from.Content); j += 2 {
			setValue(to, from.Content[j].Value, deepCopy(from.Content[j+1]))
		}
	}
}

// secretKeys are the suffixes of keys whose values are secrets, in the sections of all backends.
var secretKeys = []string{"key", "key_id", "secret", "password", "passwd", "token", "credential", "credentials", "auth", "connection_string"}

func isSecret(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(secretKeys, func(end string) bool { return strings.HasSuffix(key, end) })
}

// hasUser reports whether a text is a URL with user information, which may include a password.
func hasUser(text string) bool {
	_, rest, ok := strings.Cut(text, "://")
	authority, _, _ := strings.Cut(rest, "/")
	return ok && strings.Contains(authority, "@")
}

// Masked replaces secrets unless the user requested them.
const Masked = "********"

// Mask replaces each secret with a word and removes all comments, because they may contain secrets.
func (d *Document) Mask(word string) { mask(d.root, word, false) }

func mask(n *yaml.Node, word string, secret bool) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	switch n.Kind {
	case yaml.AliasNode:
		if secret {
			mask(n.Alias, word, true)
		}
	case yaml.ScalarNode:
		if n.Value != "" && (secret || hasUser(n.Value)) {
			n.SetString(word)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			mask(n.Content[i], word, false)
			mask(n.Content[i+1], word, secret || isSecret(n.Content[i].Value))
		}
	default:
		for _, c := range n.Content {
			mask(c, word, secret)
		}
	}
}

// Text returns the document with a header comment that contains the purpose and further lines.
func (d *Document) Text(purpose string, more ...string) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s%s\n", headerMark, purpose)
	for _, line := range more {
		fmt.Fprintf(&out, "# %s\n", line)
	}
	out.WriteByte('\n')
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(d.root); err != nil {
		return nil, err
	}
	return out.Bytes(), e.Close()
}

// lookup returns the value of a key in a mapping or in an alias of one. It returns nil if the key is missing.
func lookup(n *yaml.Node, key string) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func setValue(n *yaml.Node, key string, v *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			v.LineComment, v.HeadComment, v.FootComment = n.Content[i+1].LineComment, n.Content[i+1].HeadComment, n.Content[i+1].FootComment
			n.Content[i+1] = v
			return
		}
	}
	k := &yaml.Node{}
	k.SetString(key)
	n.Content = append(n.Content, k, v)
}

func removeKey(n *yaml.Node, key string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// deepCopy returns a copy of a tree, with aliases replaced by copies of their values.
func deepCopy(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return deepCopy(n.Alias)
	}
	c := *n
	c.Anchor, c.Content = "", make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = deepCopy(child)
	}
	return &c
}
