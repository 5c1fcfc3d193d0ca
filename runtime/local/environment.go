package local

import (
	"slices"
	"strings"

	"fn-runtime/runtime/local/internal/process"
)

// Environment returns env without the variables of the IBM Cloud CLI session, which may contain an API key. Commands
// use it for the programs that they start.
func Environment(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(pair), "=")
		return strings.HasPrefix(name, "IBMCLOUD_") || strings.HasPrefix(name, "BLUEMIX_")
	})
}

// endpointVariables lists the environment variables that the endpoint itself uses, in addition to those that it passes
// to actions: the locations of the user's files and of the container engine, the Python version of pyenv shims, and
// settings of the Go runtime.
var endpointVariables = []string{
	"HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "WINDIR", "SYSTEMDRIVE",
	"TMPDIR", "TEMP", "TMP", "LC_MESSAGES", "PYTHONUSERBASE", "PYENV_ROOT", "PYENV_VERSION",
	"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_API_VERSION", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
	"CONTAINER_HOST", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
	"GODEBUG", "GOTRACEBACK", "GOMAXPROCS", "GOMEMLIMIT", "GOCOVERDIR",
}

// endpointEnvironment returns the variables of the starting shell's environment that are passed to the endpoint. The
// endpoint outlives the shell, and actions run as the same user and can read its environment. Therefore the environment
// must not contain keys or passwords.
func endpointEnvironment(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(value, proxyPrefix) { // set by 'local env --as'; actions do not need it and must not get its password
			return true
		}
		return !process.Inherits(name) && !slices.Contains(endpointVariables, strings.ToUpper(name)) && !strings.HasPrefix(name, "FN_RUNTIME_")
	})
}
