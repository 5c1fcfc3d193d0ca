package view

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/text"
)

// Endpoint is the local endpoint as it is shown: without credentials.
type Endpoint struct {
	Running   bool
	Hangs     bool // its process is there and does not answer
	PID       int
	URL       string
	S3URL     string
	Namespace string
	Bucket    string
	CAFile    string
	CABundle  string
	Python    string
	Invoker   string
	MemoryMB  int // of the actions together
	StartedAt time.Time
	Version   string
	Secrets   *EndpointSecrets // nil: not asked for
}

// EndpointSecrets are the credentials of the local endpoint, for local status --show-secrets.
type EndpointSecrets struct {
	APIKey    string `json:"api_key"` // of OpenWhisk, for Basic
	Token     string `json:"token"`   // of OpenWhisk, for Bearer
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// endpointDocument is the JSON of local start and local status.
type endpointDocument struct {
	Running    bool    `json:"running"`
	Hangs      bool    `json:"hangs"` // the process is there and does not answer
	PID        int     `json:"pid"`
	Endpoint   string  `json:"endpoint"`
	S3Endpoint string  `json:"s3_endpoint"`
	Namespace  string  `json:"namespace"`
	Bucket     string  `json:"bucket"`
	CAFile     string  `json:"ca_file"`
	CABundle   string  `json:"ca_bundle"` // the system's authorities and the endpoint's: for REQUESTS_CA_BUNDLE
	Python     string  `json:"python"`    // interpreter of the actions
	Invoker    string  `json:"invoker"`
	MemoryMB   int     `json:"memory_mb"` // of the actions together
	StartedAt  *string `json:"started_at"`
	Version    string  `json:"version"`
	*EndpointSecrets
}

// Started is Endpoint for a command that started it: nothing with Quiet.
func (v *View) Started(e Endpoint) error {
	if v.Quiet && !v.JSON {
		return nil
	}
	return v.Endpoint(e)
}

// Endpoint shows where the local endpoint runs, or that it does not.
func (v *View) Endpoint(e Endpoint) error {
	if v.JSON {
		return v.Document(endpointDocument{
			e.Running, e.Hangs, e.PID, e.URL, e.S3URL, e.Namespace, e.Bucket, e.CAFile, e.CABundle, e.Python, e.Invoker, e.MemoryMB, timestamp(e.StartedAt), e.Version, e.Secrets,
		})
	}
	v.endProgress()
	if e.Hangs {
		v.Say(i18n.M("The local endpoint (process {{.PID}}) does not respond. Stop it with 'ibmcloud fn-runtime local stop'.", "PID", e.PID))
		return nil
	}
	if !e.Running {
		v.Say(i18n.M("The local endpoint is not running. Start it with 'ibmcloud fn-runtime local start'."))
		return nil
	}
	v.ok()
	c := func(s string) string { return text.Printable(s) }
	v.pairs([]pair{
		{i18n.M("Endpoint"), paint(v.OutColour, entityName, c(e.URL))},
		{i18n.M("S3"), c(e.S3URL)},
		{i18n.M("Namespace"), c(e.Namespace)},
		{i18n.M("Bucket"), c(e.Bucket)},
		{i18n.M("Python"), c(e.Python)},
		{i18n.M("Invoker"), c(e.Invoker)},
		{i18n.M("Memory"), strconv.Itoa(e.MemoryMB) + " MB"},
		{i18n.M("Certificate"), c(e.CAFile)},
		{i18n.M("Process"), strconv.Itoa(e.PID)},
		{i18n.M("Started"), shortTime(e.StartedAt)},
	})
	if strings.HasPrefix(e.S3URL, "http:") {
		v.Observer().Warn(i18n.M("The storage also accepts connections without TLS. While the endpoint is stopped, clients trust any process that listens on that port. Use that port only for tools that cannot verify certificates, never for a Lithops client."))
	}
	v.Say(i18n.M("Write the matching Lithops configuration with 'ibmcloud fn-runtime lithops-config -b local -o .lithops_config'. To make programs in this shell trust the endpoint, run the output of 'ibmcloud fn-runtime local env'."))
	return nil
}

// Doubt warns of what an error says, where the command goes on.
func (v *View) Doubt(err error) {
	f := asFault(err)
	v.Observer().Warn(reason(f))
	v.Observer().Note(f.Recovery)
}

// Variables are environment variables in the order in which they are set.
type Variables []Variable

// Variable is one of them.
type Variable struct{ Name, Value string }

// Shells lists what Environment can write for.
func Shells() []string { return []string{"posix", "fish", "powershell"} }

// Environment writes what sets the variables in a shell, one of Shells; as JSON, an object of names and values. command is
// what has been called for them, without the program.
func (v *View) Environment(shell, command string, vars Variables) error {
	if v.JSON {
		doc := map[string]string{}
		for _, x := range vars {
			doc[x.Name] = x.Value
		}
		return v.Document(doc)
	}
	var out strings.Builder
	if shell == "posix" {
		fmt.Fprintf(&out, "# Run this in your shell: eval \"$(%s %s)\"\n", v.Called(), command)
	}
	for _, x := range vars {
		switch shell {
		case "fish":
			fmt.Fprintf(&out, "set -gx %s '%s';\n", x.Name, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(x.Value))
		case "powershell":
			fmt.Fprintf(&out, "$Env:%s = '%s'\n", x.Name, strings.ReplaceAll(x.Value, `'`, `''`))
		default:
			fmt.Fprintf(&out, "export %s='%s'\n", x.Name, strings.ReplaceAll(x.Value, `'`, `'\''`))
		}
	}
	return v.Raw([]byte(out.String()))
}

// stoppedDocument is the JSON of local stop.
type stoppedDocument struct {
	WasRunning bool `json:"was_running"`
}

// Stopped says that the local endpoint does not run any more.
func (v *View) Stopped(was bool) error {
	if v.JSON {
		return v.Document(stoppedDocument{was})
	}
	if was {
		v.ok()
	} else if !v.Quiet {
		v.Say(i18n.M("The local endpoint was not running."))
	}
	return nil
}

// Reset says that nothing is left of the local endpoint; was tells whether it ran.
func (v *View) Reset(was bool) error {
	if v.JSON {
		return v.Document(stoppedDocument{was})
	}
	v.ok()
	return nil
}

// TextWriter returns a writer to Out for lines from elsewhere, made safe for a terminal.
func (v *View) TextWriter() io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		if _, err := io.WriteString(v.Out, text.Lines(string(p))); err != nil {
			return 0, err
		}
		return len(p), nil
	})
}

// RawWriter returns a writer to Out for JSON lines from elsewhere, which are passed on as they are, or to the filter.
func (v *View) RawWriter() io.Writer {
	if v.filter != nil {
		return &filterWriter{v: v}
	}
	return v.Out
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
