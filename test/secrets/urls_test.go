package secrets

import (
	"strings"
	"testing"

	"fn-runtime/runtime/local/cloud"
)

// No command prints a password that is part of a URL: not in an error, not in JSON, and not in a configuration that is
// printed without secrets.
func TestPasswordsInAddressesAreNotShown(t *testing.T) {
	const secret = "sEcReT-in-an-address"
	lithops := cloud.Lithops(t, "")
	cl := cloud.Open(t, t.TempDir(), nil)
	for name, change := range map[string]func(u *cloud.Client, config string) (string, []string){
		"user of the compute service": func(u *cloud.Client, config string) (string, []string) {
			return strings.Replace(config, u.Cloud.URL(cloud.OpenWhisk), "https://u:"+secret+"@127.0.0.1:1", 1), nil
		},
		"unescaped password": func(u *cloud.Client, config string) (string, []string) {
			return strings.Replace(config, u.Cloud.URL(cloud.OpenWhisk), "https://u:a#"+secret+"@127.0.0.1:1", 1), nil
		},
		"query of the compute service": func(u *cloud.Client, config string) (string, []string) {
			return strings.Replace(config, u.Cloud.URL(cloud.OpenWhisk), u.Cloud.URL(cloud.OpenWhisk)+"?apikey="+secret, 1), nil
		},
		"user of the store": func(u *cloud.Client, config string) (string, []string) {
			return strings.Replace(config, u.Cloud.URL(cloud.S3), "https://u:"+secret+"@127.0.0.1:1", 1), nil
		},
		"query of the store": func(u *cloud.Client, config string) (string, []string) {
			return strings.Replace(config, u.Cloud.URL(cloud.S3), u.Cloud.URL(cloud.S3)+"?apikey="+secret, 1), nil
		},
		"name of the bucket": func(u *cloud.Client, config string) (string, []string) {
			return strings.Replace(config, "storage_bucket: ", "storage_bucket: s3://u:"+secret+"@", 1), nil
		},
		"engine": func(u *cloud.Client, config string) (string, []string) {
			return config, []string{"DOCKER_HOST=tcp://u:" + secret + "@127.0.0.1:1"}
		},
		"proxy": func(u *cloud.Client, config string) (string, []string) {
			config = strings.Replace(config, u.Cloud.URL(cloud.OpenWhisk), "https://ow.invalid", 1)
			return config, []string{"HTTPS_PROXY=http://u:1#" + secret + "@127.0.0.1:1", "IBMCLOUD_TRACE=true"}
		},
		"proxy with a percent sign": func(u *cloud.Client, config string) (string, []string) {
			config = strings.Replace(config, u.Cloud.URL(cloud.OpenWhisk), "https://ow.invalid", 1)
			return config, []string{"HTTPS_PROXY=http://u:%zz" + secret + "@127.0.0.1:1", "IBMCLOUD_TRACE=true"}
		},
		"proxy with a slash": func(u *cloud.Client, config string) (string, []string) {
			config = strings.Replace(config, u.Cloud.URL(cloud.OpenWhisk), "https://ow.invalid", 1)
			return config, []string{"HTTPS_PROXY=http://u:x/" + secret + "@127.0.0.1:1", "IBMCLOUD_TRACE=true"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := cl.NewClient(t, "openwhisk", lithops)
			before := u.Cloud.ClientConfig("openwhisk")
			config, env := change(u, before)
			if config == before && env == nil {
				t.Fatalf("nothing is planted in %s", before)
			}
			u.Write(t, ".lithops/config", config)
			u.Write(t, "context/Dockerfile", "FROM scratch\n")
			u.Write(t, "runtimes.yaml", "runtimes:\n- image: me/img:1\n  build: {context: 'https://u:"+secret+"@github.com/x/y.git'}\n")
			lines := []string{"list", "doctor", "doctor --output json", "lithops-config", "show default --output json", "build me/img:1 {home}/context", "deploy me/img:1 --output json"}
			if name == "name of the bucket" { // once, because the error is in the argument
				lines = append(lines, "apply {home}/runtimes.yaml", "build me/img:1 https://"+secret+"@github.com/x/y.git", "list -c https://u:"+secret+"@h/config",
					"build me/img:1 {home}/context --cache-from https://u:"+secret+"@h/c --output json")
			}
			for _, line := range lines {
				a := u.Binary(t.Context(), t, line, append(env, "FN_RUNTIME_RETRY_SECONDS=1")...)
				if strings.Contains(a.Out+a.Err, secret) || strings.Contains(a.Out+a.Err, "apikey") {
					t.Errorf("%s", a)
				}
				if strings.HasPrefix(name, "proxy") && line == "list" && !strings.Contains(a.Err, "proxy address in HTTPS_PROXY is invalid") {
					t.Errorf("the proxy is not named: %s", a)
				}
			}
		})
	}
}
