package host

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The session's token must not be sent to hosts of tenants below IBM Cloud's domains. The test runs every command in a
// directory with a configuration that names such hosts, as another user might have written it.
func TestTenantHostGetsNoToken(t *testing.T) {
	for name, tc := range map[string]struct{ functions, store string }{
		"as Functions": {"https://api.abc.us-south.codeengine.appdomain.cloud", "https://s3.us-south.cloud-object-storage.appdomain.cloud"},
		"as a store":   {"https://us-south.functions.cloud.ibm.com", "https://s3.us-south.containers.appdomain.cloud"},
		"swapped":      {"https://s3.us-south.cloud-object-storage.appdomain.cloud", "https://us-south.functions.cloud.ibm.com"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCloud(t)
			c := install(t, session(jwt(time.Now().Add(time.Hour))))
			onCloud(t, c, cl)
			c.env = append(c.env, "TMPDIR="+t.TempDir())
			c.dir = t.TempDir()
			config := "lithops: {backend: ibm_cf, storage: ibm_cos}\nibm_cf: {endpoint: '" + tc.functions + "', namespace: space}\n" +
				"ibm_cos: {endpoint: '" + tc.store + "', region: us-south, storage_bucket: b, service_instance_id: i}\n"
			if err := os.WriteFile(filepath.Join(c.dir, ".lithops_config"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			lithops := fakeLithops(t)
			for _, line := range []string{"list", "doctor", "clean -f", "deploy me/img:1", "show default"} {
				a := c.run("fn-runtime", append(strings.Fields(line), "--user-key", "abcd", "--lithops", lithops)...)
				if a.status != 1 {
					t.Errorf("%s: %+v", line, a)
				}
			}
			own := []string{"us-south.functions.cloud.ibm.com", "s3.us-south.cloud-object-storage.appdomain.cloud"}
			if name == "swapped" {
				own = nil
			}
			for _, host := range slices.Sorted(maps.Keys(cl.bearers)) {
				if !slices.Contains(own, host) {
					t.Errorf("%s was sent the session's token", host)
				}
			}
		})
	}
}
