package commands

import (
	"fn-runtime/commands/view"
	"fn-runtime/i18n"
)

// environmentTopic is the help page of the environment variables: 'help environment'.
const environmentTopic = "environment"

// Environment is the help page of the environment variables, the one place where they are described. docs/environment.md
// is made from it, and a test holds it against what the source reads.
func Environment() view.Help {
	return view.Help{
		Name:  environmentTopic,
		Short: i18n.M("The environment variables that are read."),
		Long:  i18n.M("A flag wins over a variable. An empty variable counts as one that is not set."),
		Variables: []view.Entry{
			{Term: backendVariable, Meaning: i18n.M("The compute backend, as '--backend'.")},
			{Term: "FN_RUNTIME_USER_KEY", Meaning: i18n.M("The user part of the names of packages and jobs, as '--user-key'.")},
			{Term: "FN_RUNTIME_RETRY_SECONDS", Meaning: i18n.M("How long a command repeats failed requests altogether, in seconds; 120 without this.")},
			{Term: "LITHOPS_CONFIG", Meaning: i18n.M("The Lithops configuration itself, as JSON.")},
			{Term: "LITHOPS_CONFIG_FILE", Meaning: i18n.M("The file of the Lithops configuration.")},
			{Term: "VIRTUAL_ENV, CONDA_PREFIX", Meaning: i18n.M("The active Python environment: where Lithops is looked for first.")},
			{Term: "PATH", Meaning: i18n.M("Where python3 and python are looked for next.")},
			{Term: "PYTHONPATH, PYTHONHOME, PYTHONNOUSERSITE, PYTHONUSERBASE", Meaning: i18n.M("Where that Python finds its packages.")},
			{Term: "IBMCLOUD_HOME, IBMCLOUD_CONFIG_HOME", Meaning: i18n.M("The folder that has .bluemix with session and plug-ins in it; the second one is that folder itself.")},
			{Term: "IBMCLOUD_COLOR", Meaning: i18n.M("Colour, whatever the output goes to: true or false.")},
			{Term: "NO_COLOR, TERM", Meaning: i18n.M("No colour when NO_COLOR is set or TERM is dumb.")},
			{Term: "IBMCLOUD_TRACE", Meaning: i18n.M("Shows every request without its secrets: true, or a file.")},
			{Term: "IBMCLOUD_HTTP_TIMEOUT", Meaning: i18n.M("Time limit of a request in seconds.")},
			{Term: "IBMCLOUD_QUIET", Meaning: i18n.M("As '--quiet' on every command: true.")},
			{Term: "BLUEMIX_HOME, BLUEMIX_COLOR, BLUEMIX_TRACE, BLUEMIX_HTTP_TIMEOUT", Meaning: i18n.M("Older names of the CLI for the same.")},
			{Term: "IAM_ENDPOINT", Meaning: i18n.M("Another identity service, where the session names none.")},
			{Term: "LC_ALL, LC_MESSAGES, LANG", Meaning: i18n.M("The language, where the CLI is not set to one.")},
			{Term: "HTTPS_PROXY, HTTP_PROXY, NO_PROXY", Meaning: i18n.M("The proxy for requests, and the hosts that are reached without it.")},
			{Term: "SSL_CERT_FILE, SSL_CERT_DIR", Meaning: i18n.M("Certificate authorities to trust instead of the system's.")},
			{Term: "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE", Meaning: i18n.M("Certificate authorities to trust as well, as the Lithops client does.")},
			{Term: "AWS_CA_BUNDLE", Meaning: i18n.M("Certificate authorities that the Lithops client trusts for the store; 'ibmcloud fn-runtime doctor' looks whether the local endpoint's is among them.")},
			{Term: "DOCKER_HOST, DOCKER_CONTEXT, CONTAINER_HOST, XDG_RUNTIME_DIR", Meaning: i18n.M("Where the container engine is looked for.")},
			{Term: "DOCKER_CONFIG", Meaning: i18n.M("The folder of Docker's config.json, with the credentials of 'docker login'.")},
			{Term: "DOCKER_API_VERSION, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH", Meaning: i18n.M("How DOCKER_HOST is spoken to.")},
			{Term: "SSH_AUTH_SOCK", Meaning: i18n.M("The SSH agent that 'build --ssh' lends to a build.")},
			{Term: "DOCKER_BUILDKIT", Meaning: i18n.M("Builds without BuildKit: 0.")},
			{Term: "TMPDIR, TEMP, TMP, USER", Meaning: i18n.M("Where Lithops keeps temporary files, which 'clean' removes.")},
		},
	}
}
