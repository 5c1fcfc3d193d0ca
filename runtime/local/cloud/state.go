package cloud

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/local/internal/state"
)

// State is what is really there, read past every server: a line for each package, action, object and cached copy,
// sorted. home is the client's home, whose Lithops cache is part of it; "" leaves it out. Ports do not appear.
func (c *Cloud) State(home string) ([]string, error) {
	lines, err := c.imageLines()
	if err != nil {
		return nil, err
	}
	jobs, err := c.jobLines()
	if err != nil {
		return nil, err
	}
	lines = append(lines, jobs...)
	spaces, err := c.DB.Namespaces()
	if err != nil {
		return nil, err
	}
	for _, ns := range spaces {
		if ns.ID != namespaceID {
			lines = append(lines, "namespace "+ns.Name)
		}
		for p, err := range c.DB.Packages(ns.ID, 0, 1000) {
			if err != nil {
				return nil, err
			}
			lines = append(lines, "package "+p.Name)
		}
		for a, err := range c.DB.Actions(ns.ID, "", true, 0, 1000) {
			if err != nil {
				return nil, err
			}
			lines = append(lines, fmt.Sprintf("action %s/%s %s %d MB %d ms %s %s", a.Package, a.Name, a.Image, a.MemoryMB, a.TimeoutMS, a.CodeHash, c.digest(withoutRevision(a.Annotations))))
		}
	}
	keys, err := c.Keys()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		_, r, err := c.DB.Open(Bucket, key, "", func(o state.Object, _ []state.Part) (int64, int64, error) { return 0, o.Size, nil })
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		_ = r.Close()
		if err != nil {
			return nil, err
		}
		lines = append(lines, "object "+key+" "+c.digest(data))
	}
	if home != "" {
		root := filepath.Join(home, ".lithops", "cache")
		_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				data, _ := os.ReadFile(path)
				name, _ := filepath.Rel(root, path)
				lines = append(lines, "cache "+name+" "+c.digest(data))
			}
			return nil
		})
	}
	for i := range lines {
		lines[i] = c.Portless(lines[i])
	}
	sort.Strings(lines)
	return lines, nil
}

// withoutRevision leaves out of an action's annotations how often it was written.
func withoutRevision(annotations []byte) []byte {
	type annotation struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	var all []annotation
	if json.Unmarshal(annotations, &all) != nil {
		return annotations
	}
	kept, _ := json.Marshal(slices.DeleteFunc(all, func(a annotation) bool { return a.Key == entity.NoteRevision }))
	return kept
}

// Keys lists the objects of the bucket.
func (c *Cloud) Keys() (keys []string, err error) {
	if there, err := c.DB.HasBucket(Bucket); err != nil || !there {
		return nil, err
	}
	err = c.DB.Objects(Bucket, "", "", func(o state.Object) (string, bool) {
		keys = append(keys, o.Key)
		return "", true
	})
	return keys, err
}

// Orphans lists the metadata that has neither action nor job: the client waits for ever on such a runtime.
func (c *Cloud) Orphans() ([]string, error) {
	spaces, err := c.DB.Namespaces()
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, ns := range spaces {
		for a, err := range c.DB.Actions(ns.ID, "", true, 0, 1000) {
			if err != nil {
				return nil, err
			}
			known[a.Name] = true
		}
	}
	ofJobs, err := c.jobKeys()
	if err != nil {
		return nil, err
	}
	keys, err := c.Keys()
	var orphans []string
	for _, key := range keys {
		name, isMetadata := strings.CutSuffix(key[strings.LastIndex(key, "/")+1:], ".meta.json")
		if isMetadata && !known[name] && !ofJobs[key] {
			orphans = append(orphans, key)
		}
	}
	return orphans, err
}

// Portless replaces the ports of this cloud, and the ids that it makes up, which differ from run to run.
func (c *Cloud) Portless(s string) string {
	s = randomName.ReplaceAllString(guid.ReplaceAllString(s, "ID"), "RANDOM")
	for service, p := range c.Proxies {
		port := p.URL[strings.LastIndex(p.URL, ":")+1:]
		for _, before := range []string{":", "_", "%3A"} { // as in addresses and in names made from them
			s = strings.ReplaceAll(s, before+port, before+"PORT-"+service)
		}
	}
	return s
}

var guid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}`)

func (c *Cloud) digest(data json.RawMessage) string {
	sum := sha256.Sum256([]byte(c.Portless(string(data))))
	return fmt.Sprintf("%x", sum[:6])
}
