package process

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// inherited are the variables of the endpoint's own environment that an action gets: where programs and libraries are,
// language and time zone, the way to the network and whom to trust there. Nothing else: an action has no use for the
// keys of its user.
var inherited = []string{
	"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ",
	"USER", "LOGNAME", "USERNAME", "SYSTEMROOT", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE",
}

// Inherits reports whether an action gets the variable of that name; case does not count, as on Windows.
func Inherits(name string) bool { return slices.Contains(inherited, strings.ToUpper(name)) }

// environment makes the environment of a process in dir; extra wins.
func environment(parent []string, python interpreter, dir string, extra map[string]string) []string {
	env := map[string]string{}
	for _, pair := range parent {
		name, value, _ := strings.Cut(pair, "=")
		if Inherits(name) {
			env[name] = value
		}
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} { // the endpoint and its store are never behind a proxy
		env[name] = strings.TrimPrefix(env[name]+",127.0.0.1,localhost,::1", ",")
	}
	if env["LANG"] == "" && env["LC_ALL"] == "" {
		env["LANG"] = "C.UTF-8"
	}
	tmp, home := filepath.Join(dir, "tmp"), filepath.Join(dir, "home")
	maps.Copy(env, map[string]string{
		"HOME": home, "USERPROFILE": home, "TMPDIR": tmp, "TEMP": tmp, "TMP": tmp,
		"PYTHONUSERBASE": python.userBase, // packages of 'pip install --user', which HOME does not lead to any more
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
