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

// State returns the actual state of the cloud: a sorted list with a line for each image, project, Code Engine resource,
// namespace, package, action and object. If home is set, it includes the Lithops cache in this home directory. State
// reads the data directly and not through the servers. Ports are replaced, see Normalize.
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
		lines[i] = c.Normalize(lines[i])
	}
	sort.Strings(lines)
	return lines, nil
}

// withoutRevision returns an action's annotations without the revision annotation, which changes whenever the action is
// written.
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

// Keys returns the keys of the objects in the bucket.
func (c *Cloud) Keys() (keys []string, err error) {
	if exists, err := c.DB.HasBucket(Bucket); err != nil || !exists {
		return nil, err
	}
	err = c.DB.Objects(Bucket, "", "", func(o state.Object) (string, bool) {
		keys = append(keys, o.Key)
		return "", true
	})
	return keys, err
}

// Orphans returns the keys of metadata objects that belong neither to an action nor to a job. A Lithops client that
// uses such a runtime waits indefinitely.
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

// Normalize replaces the ports of this cloud, random names and GUIDs in a text, because they differ from run to run.
func (c *Cloud) Normalize(s string) string {
	s = randomName.ReplaceAllString(guid.ReplaceAllString(s, "ID"), "RANDOM")
	for service, p := range c.Proxies {
		port := p.URL[strings.LastIndex(p.URL, ":")+1:]
		for _, before := range []string{":", "_", "%3A"} { // in addresses and in names derived from addresses
			s = strings.ReplaceAll(s, before+port, before+"PORT-"+service)
		}
	}
	return s
}

var guid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}`)

// digest returns a short hash of normalized data.
func (c *Cloud) digest(data json.RawMessage) string {
	sum := sha256.Sum256([]byte(c.Normalize(string(data))))
	return fmt.Sprintf("%x", sum[:6])
}
