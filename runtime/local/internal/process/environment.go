package process

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// inherited lists the environment variables of the endpoint that actions inherit: search paths of programs and
// libraries, language and time zone, network proxies and CA bundles. Actions inherit no other variables, because those
// may contain the user's keys.
var inherited = []string{
	"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ",
	"USER", "LOGNAME", "USERNAME", "SYSTEMROOT", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE",
}

// Inherits reports whether actions inherit the named environment variable. The name is not case-sensitive, as on
// Windows.
func Inherits(name string) bool { return slices.Contains(inherited, strings.ToUpper(name)) }

// environment returns the environment of a process whose directory is dir. extra overrides all other variables.
func environment(parent []string, python interpreter, dir string, extra map[string]string) []string {
	env := map[string]string{}
	for _, pair := range parent {
		name, value, _ := strings.Cut(pair, "=")
		if Inherits(name) {
			env[name] = value
		}
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} { // the endpoint and its store are always reached directly
		env[name] = strings.TrimPrefix(env[name]+",127.0.0.1,localhost,::1", ",")
	}
	if env["LANG"] == "" && env["LC_ALL"] == "" {
		env["LANG"] = "C.UTF-8"
	}
	tmp, home := filepath.Join(dir, "tmp"), filepath.Join(dir, "home")
	maps.Copy(env, map[string]string{
		"HOME": home, "USERPROFILE": home, "TMPDIR": tmp, "TEMP": tmp, "TMP": tmp,
		"PYTHONUSERBASE": python.userBase, // keeps packages of 'pip install --user' available although HOME differs
		"PROXY_DIR":      filepath.Join(dir, "action"),
		"PROXY_WORKER":   dir,
	})
	maps.Copy(env, extra)
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}
