package connect

import (
	"bytes"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/local"
	"fn-runtime/runtime/regular"
)

// LocalProblem returns the security problem of the Lithops configuration that is in use. It returns nil if there is
// no problem or if the configuration is not for the local endpoint.
func LocalProblem(h Host, info local.Info) error {
	config, err := lithops.Load(lithops.LoadOptions{Getenv: h.Getenv, Home: h.Home, WorkDir: h.WorkDir})
	if err != nil {
		return nil // reported by the commands that use the configuration
	}
	backend, _ := config.Backend()
	compute, err := config.Compute(lithops.Backend(backend), lithops.Install{})
	if err != nil || loopbackPort(compute.Endpoint) == "" || loopbackPort(compute.Endpoint) != loopbackPort(info.Endpoint) {
		return nil
	}
	storage, _ := config.Storage(compute, lithops.Install{})
	return insecureConfig(compute, storage, config.Source(), info)
}

// insecureConfig returns the reason why a client with this configuration would trust another process that listens in
// place of the local endpoint, or send its keys to that process. It returns nil if the client would not.
func insecureConfig(compute lithops.Compute, storage lithops.Storage, source string, info local.Info) error {
	var reason i18n.Message
	switch port := loopbackPort(storage.Endpoint); {
	case compute.Insecure:
		reason = i18n.M("The Lithops configuration {{.Source}} sets 'insecure': the client sends its key to any process that listens on the local endpoint's port.", "Source", source)
	case port != "" && port != loopbackPort(info.Endpoint) && info.S3Endpoint == storage.Endpoint:
		reason = i18n.M("With the Lithops configuration {{.Source}}, the client connects to the storage without TLS and trusts any process that listens on the local endpoint's port.", "Source", source)
	default:
		return nil
	}
	return fault.New(fault.Invalid, reason, rewriteConfig())
}

func rewriteConfig() i18n.Message {
	return i18n.M("Update it with 'ibmcloud fn-runtime lithops-config -b local -o FILE'.")
}

// clientProblem returns the reason why the Lithops client of this environment cannot use the service that the check
// "session" or "bucket" has contacted, or cannot use the local endpoint securely.
func (p *opening) clientProblem(check string) error {
	switch {
	case p.noTLS != nil && check == "session":
		return p.noTLS
	case p.endpoint.CAFile == "":
		return p.clientTrustProblem(check)
	case check != "session":
		return nil
	}
	if err := insecureConfig(p.compute, p.storage, p.source(), p.endpoint); err != nil {
		return err
	}
	ca, err := regular.ReadCABundle(p.endpoint.CAFile)
	if err != nil {
		return err
	}
	remedy := i18n.M("Run the output of 'ibmcloud fn-runtime {{.Command}}' in your shell.", "Command", p.target.EnvCommand())
	if variable, proxy := clientProxy(p.o.Host.Getenv); p.target.Proxy != "" && proxy != p.target.Proxy {
		return fault.New(fault.Invalid,
			i18n.M("In this shell, {{.Variable}} is not set to the local endpoint's proxy, so the Lithops client sends its requests to IBM Cloud.", "Variable", variable), remedy)
	}
	for _, check := range []string{"session", "bucket"} {
		b := clientCABundle(check, p.o.Host.Getenv)
		if pem, err := regular.ReadCABundle(b.file); err != nil || !bytes.Contains(pem, bytes.TrimSpace(ca)) {
			return fault.New(fault.Invalid,
				i18n.M("In this shell, {{.Variable}} does not point to the local endpoint's certificate authority, so the Lithops client rejects the endpoint's certificate.", "Variable", b.variable),
				remedy)
		}
	}
	return nil
}

// clientProxy returns the environment variable that sets the HTTPS proxy in Python, and its value. The lowercase
// variable has priority.
func clientProxy(getenv func(string) string) (variable, proxy string) {
	if proxy := getenv("https_proxy"); proxy != "" {
		return "https_proxy", proxy
	}
	return "HTTPS_PROXY", getenv("HTTPS_PROXY")
}
