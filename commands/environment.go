package commands

import (
	"fn-runtime/commands/view"
	"fn-runtime/i18n"
)

// environmentTopic is the name of the help page of the environment variables: 'help environment'.
const environmentTopic = "environment"

// Environment returns the help page of the environment variables. docs/environment.md is generated from this page, and
// a test compares it with the variables that the source reads.
func Environment() view.Help {
	return view.Help{
		Name:  environmentTopic,
		Short: i18n.M("Environment variables that the plug-in reads."),
		Long:  i18n.M("An option overrides a variable. An empty variable is treated as unset."),
		Variables: []view.Entry{
			{Term: backendVariable, Meaning: i18n.M("The compute backend, same as '--backend'.")},
			{Term: "FN_RUNTIME_USER_KEY", Meaning: i18n.M("The user part of package and job names, same as '--user-key'.")},
			{Term: "FN_RUNTIME_RETRY_SECONDS", Meaning: i18n.M("How long a command retries failed requests in total, in seconds; the default is 120.")},
			{Term: "LITHOPS_CONFIG", Meaning: i18n.M("The Lithops configuration as JSON.")},
			{Term: "LITHOPS_CONFIG_FILE", Meaning: i18n.M("Path of the Lithops configuration file.")},
			{Term: "VIRTUAL_ENV, CONDA_PREFIX", Meaning: i18n.M("The active Python environment. It is searched for Lithops first.")},
			{Term: "PATH", Meaning: i18n.M("The directories searched next for python3 and python.")},
			{Term: "PYTHONPATH, PYTHONHOME, PYTHONNOUSERSITE, PYTHONUSERBASE", Meaning: i18n.M("Package search settings of that Python.")},
			{Term: "IBMCLOUD_HOME, IBMCLOUD_CONFIG_HOME", Meaning: i18n.M("The directory that contains .bluemix with the session and plug-ins. IBMCLOUD_CONFIG_HOME is the .bluemix directory itself.")},
			{Term: "IBMCLOUD_COLOR", Meaning: i18n.M("Set to true to force colored output, or to false to disable it.")},
			{Term: "NO_COLOR, TERM", Meaning: i18n.M("Disable color if NO_COLOR is set or TERM is dumb.")},
			{Term: "IBMCLOUD_TRACE", Meaning: i18n.M("Trace every request without its secrets; set to true or a file path.")},
			{Term: "IBMCLOUD_HTTP_TIMEOUT", Meaning: i18n.M("Request timeout in seconds.")},
			{Term: "IBMCLOUD_QUIET", Meaning: i18n.M("Set to true to apply '--quiet' to every command.")},
			{Term: "BLUEMIX_HOME, BLUEMIX_COLOR, BLUEMIX_TRACE, BLUEMIX_HTTP_TIMEOUT", Meaning: i18n.M("Older names of the matching IBMCLOUD variables.")},
			{Term: "IAM_ENDPOINT", Meaning: i18n.M("IAM endpoint to use when the session does not define one.")},
			{Term: "LC_ALL, LC_MESSAGES, LANG", Meaning: i18n.M("The language, if the CLI does not set one.")},
			{Term: "HTTPS_PROXY, HTTP_PROXY, NO_PROXY", Meaning: i18n.M("The proxy for requests, and the hosts that bypass it.")},
			{Term: "SSL_CERT_FILE, SSL_CERT_DIR", Meaning: i18n.M("Certificate authorities to trust instead of the system's.")},
			{Term: "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE", Meaning: i18n.M("Additional certificate authorities to trust, as the Lithops client does.")},
			{Term: "AWS_CA_BUNDLE", Meaning: i18n.M("Certificate authorities that the Lithops client trusts for object storage. 'ibmcloud fn-runtime doctor' checks whether they include the local endpoint's certificate authority.")},
			{Term: "DOCKER_HOST, DOCKER_CONTEXT, CONTAINER_HOST, XDG_RUNTIME_DIR", Meaning: i18n.M("Where to find the container engine.")},
			{Term: "DOCKER_CONFIG", Meaning: i18n.M("The directory of Docker's config.json, which holds the credentials of 'docker login'.")},
			{Term: "DOCKER_API_VERSION, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH", Meaning: i18n.M("Connection settings for DOCKER_HOST.")},
			{Term: "SSH_AUTH_SOCK", Meaning: i18n.M("The SSH agent that 'build --ssh' forwards to a build.")},
			{Term: "DOCKER_BUILDKIT", Meaning: i18n.M("Set to 0 to disable BuildKit for builds.")},
			{Term: "TMPDIR, TEMP, TMP, USER", Meaning: i18n.M("Determine where Lithops stores temporary files, which 'clean' removes.")},
		},
	}
}
