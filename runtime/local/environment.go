package local

import (
	"slices"
	"strings"

	"fn-runtime/runtime/local/internal/process"
)

// Environment leaves out what belongs to the command that starts a program: the session of the CLI, which may hold an
// API key.
func Environment(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(pair), "=")
		return strings.HasPrefix(name, "IBMCLOUD_") || strings.HasPrefix(name, "BLUEMIX_")
	})
}

// ofEndpoint are the variables that the endpoint itself reads, beside those that it hands on to actions: where its
// user's files and the container engine are, which Python a shim chooses, and how Go's runtime behaves.
var ofEndpoint = []string{
	"HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "WINDIR", "SYSTEMDRIVE",
	"TMPDIR", "TEMP", "TMP", "LC_MESSAGES", "PYTHONUSERBASE", "PYENV_ROOT", "PYENV_VERSION",
	"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_API_VERSION", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
	"CONTAINER_HOST", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
	"GODEBUG", "GOTRACEBACK", "GOMAXPROCS", "GOMEMLIMIT", "GOCOVERDIR",
}

// endpointEnvironment is all that the endpoint keeps of the environment of the shell that starts it. It lives longer
// than that shell, and actions run as its user and can read it: keys and passwords must not be in it.
func endpointEnvironment(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(value, proxyPrefix) { // of 'local env --as': actions have no use for it, and must not have its password
			return true
		}
		return !process.Inherits(name) && !slices.Contains(ofEndpoint, strings.ToUpper(name)) && !strings.HasPrefix(name, "FN_RUNTIME_")
	})
}
