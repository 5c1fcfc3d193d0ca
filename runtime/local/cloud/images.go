package cloud

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sort"
)

// Images is what the registry really holds, asked past its proxy: the digest of each "REPOSITORY:TAG".
func (c *Cloud) Images() (map[string]string, error) {
	var repositories struct{ Repositories []string }
	if err := c.askRegistry("/v2/_catalog", &repositories); err != nil {
		return nil, err
	}
	images := map[string]string{}
	for _, repository := range repositories.Repositories {
		var tags struct{ Tags []string }
		if err := c.askRegistry("/v2/"+repository+"/tags/list", &tags); err != nil {
			return nil, err
		}
		for _, tag := range tags.Tags {
			rec := httptest.NewRecorder()
			c.registry.ServeHTTP(rec, httptest.NewRequest(http.MethodHead, "/v2/"+repository+"/manifests/"+tag, nil))
			images[repository+":"+tag] = rec.Header().Get("Docker-Content-Digest")
		}
	}
	return images, nil
}

func (c *Cloud) askRegistry(path string, answer any) error {
	rec := httptest.NewRecorder()
	c.registry.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return json.Unmarshal(rec.Body.Bytes(), answer)
}

// imageLines names the images for State. Their digests are left out: two builds of one folder need not be the same.
func (c *Cloud) imageLines() (lines []string, err error) {
	images, err := c.Images()
	for name := range images {
		lines = append(lines, "image "+name)
	}
	sort.Strings(lines)
	return lines, err
}
