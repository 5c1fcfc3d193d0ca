package images

import (
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/registry"
)

// pushFault returns the fault for a failed push. Only fault.Unavailable is worth a retry.
func pushFault(failure *jsonmessage.JSONError, ref reference.Named, host, user string) *fault.Fault {
	message := strings.ToLower(failure.Message)
	has := func(list ...string) bool { return cause{patterns: list}.matches(message) }
	switch {
	case has("no basic auth credentials", "unauthorized", "authentication required", "denied", "401 unauthorized", "403 forbidden", "incorrect username or password",
		"http 401 response", "http 403 response"):
		return registry.AccessDenied(host, user).With(inline(failure.Message)).Because(failure)
	case has("toomanyrequests", "too many requests", "http 429 response"):
		return fault.New(fault.Throttled,
			i18n.M("The rate limit of {{.Registry}} was exceeded.", "Registry", host),
			i18n.M("Rerun the command later; layers already pushed are skipped.")).Because(failure)
	case has("no space left on device", "quota", "insufficient storage"):
		return fault.New(fault.Failed,
			i18n.M("The registry {{.Registry}} has no space left: {{.Error}}.", "Registry", host, "Error", inline(failure.Message)),
			i18n.M("Delete unused images there, then rerun the command.")).Because(failure)
	case has("unable to decode", "invalid character", "unexpected end of json"):
		return fault.New(fault.Unavailable,
			i18n.M("{{.Registry}} did not respond like a registry; a proxy or gateway may have responded instead.", "Registry", host),
			i18n.M("Check the registry name and the network, then rerun the command; layers already pushed are skipped.")).Because(failure)
	case has("server gave http response", "x509:", "certificate"):
		return fault.New(fault.Unavailable,
			i18n.M("The container engine does not trust the registry {{.Registry}}: {{.Error}}.", "Registry", host, "Error", inline(failure.Message)),
			i18n.M("Install the registry's certificate for the engine in '/etc/docker/certs.d/{{.Registry}}/ca.crt'.", "Registry", host)).Because(failure)
	case has("name unknown", "repository name not known", "manifest invalid", "name invalid"):
		return fault.New(fault.Invalid,
			i18n.M("The registry {{.Registry}} rejected {{.Image}}: {{.Error}}.", "Registry", host,
				"Image", reference.FamiliarString(ref), "Error", inline(failure.Message)),
			i18n.M("Check the name, and check whether the repository must be created first.")).Because(failure)
	}
	recovery := i18n.M("Check the registry name and the network, then rerun the command; layers already pushed are skipped.")
	if has("dial tcp", "read tcp", "write tcp", "eof", "context deadline", "error parsing http", "unexpected http status", "unexpected end of json") {
		return fault.New(fault.Unavailable, i18n.M("The push to the registry {{.Registry}} was interrupted.", "Registry", host), recovery).
			With(inline(failure.Message)).Because(failure) // a technical message
	}
	return fault.New(fault.Unavailable,
		i18n.M("The push to the registry {{.Registry}} failed: {{.Error}}.", "Registry", host, "Error", inline(failure.Message)), recovery).Because(failure)
}
