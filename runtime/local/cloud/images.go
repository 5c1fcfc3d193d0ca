package cloud

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sort"
)

// Images returns the contents of the registry: the digest of each "REPOSITORY:TAG". It bypasses the registry's proxy.
func (c *Cloud) Images() (map[string]string, error) {
	var repositories struct{ Repositories []string }
	if err := c.queryRegistry("/v2/_catalog", &repositories); err != nil {
		return nil, err
	}
	images := map[string]string{}
	for _, repository := range repositories.Repositories {
		var tags struct{ Tags []string }
		if err := c.queryRegistry("/v2/"+repository+"/tags/list", &tags); err != nil {
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

// queryRegistry sends a GET request to the registry and decodes the response.
func (c *Cloud) queryRegistry(path string, response any) error {
	rec := httptest.NewRecorder()
	c.registry.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return json.Unmarshal(rec.Body.Bytes(), response)
}

// imageLines lists the images for State. It omits the digests, because two builds of the same directory may differ.
func (c *Cloud) imageLines() (lines []string, err error) {
	images, err := c.Images()
	for name := range images {
		lines = append(lines, "image "+name)
	}
	sort.Strings(lines)
	return lines, err
}
