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

// Endpoint holds the displayed properties of the local endpoint. It has no credentials unless Secrets is set.
type Endpoint struct {
	Running   bool
	Hangs     bool // the process exists but does not respond
	PID       int
	URL       string
	S3URL     string
	Namespace string
	Bucket    string
	CAFile    string
	CABundle  string
	Python    string
	Invoker   string
	MemoryMB  int // limit for all running actions together
	StartedAt time.Time
	Version   string
	Secrets   *EndpointSecrets // nil without --show-secrets
}

// EndpointSecrets holds the credentials of the local endpoint, for local status --show-secrets.
type EndpointSecrets struct {
	APIKey    string `json:"api_key"` // of OpenWhisk, for Basic authentication
	Token     string `json:"token"`   // of OpenWhisk, for Bearer authentication
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// endpointDocument is the JSON of local start and local status.
type endpointDocument struct {
	Running    bool    `json:"running"`
	Hangs      bool    `json:"hangs"` // the process exists but does not respond
	PID        int     `json:"pid"`
	Endpoint   string  `json:"endpoint"`
	S3Endpoint string  `json:"s3_endpoint"`
	Namespace  string  `json:"namespace"`
	Bucket     string  `json:"bucket"`
	CAFile     string  `json:"ca_file"`
	CABundle   string  `json:"ca_bundle"` // system CAs and the CA of the endpoint, for REQUESTS_CA_BUNDLE
	Python     string  `json:"python"`    // interpreter of the actions
	Invoker    string  `json:"invoker"`
	MemoryMB   int     `json:"memory_mb"` // limit for all running actions together
	StartedAt  *string `json:"started_at"`
	Version    string  `json:"version"`
	*EndpointSecrets
}

// Started shows the local endpoint after a command has started it. Unlike Endpoint, it prints nothing with Quiet.
func (v *View) Started(e Endpoint) error {
	if v.Quiet && !v.JSON {
		return nil
	}
	return v.Endpoint(e)
}

// Endpoint shows the properties of the local endpoint, or that it is not running.
func (v *View) Endpoint(e Endpoint) error {
	if v.JSON {
		return v.Document(endpointDocument{
			e.Running, e.Hangs, e.PID, e.URL, e.S3URL, e.Namespace, e.Bucket, e.CAFile, e.CABundle, e.Python, e.Invoker, e.MemoryMB, timestamp(e.StartedAt), e.Version, e.Secrets,
		})
	}
	v.endProgress()
	if e.Hangs {
		v.Print(i18n.M("The local endpoint (process {{.PID}}) does not respond. Stop it with 'ibmcloud fn-runtime local stop'.", "PID", e.PID))
		return nil
	}
	if !e.Running {
		v.Print(i18n.M("The local endpoint is not running. Start it with 'ibmcloud fn-runtime local start'."))
		return nil
	}
	v.ok()
	c := func(s string) string { return text.Printable(s) }
	v.pairs([]pair{
		{i18n.M("Endpoint"), paint(v.OutColor, entityName, c(e.URL))},
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
	v.Print(i18n.M("Write the matching Lithops configuration with 'ibmcloud fn-runtime lithops-config -b local -o .lithops_config'. To make programs in this shell trust the endpoint, run the output of 'ibmcloud fn-runtime local env'."))
	return nil
}

// WarnError prints an error as a warning, for a command that continues.
func (v *View) WarnError(err error) {
	f := asFault(err)
	v.Observer().Warn(reason(f))
	v.Observer().Note(f.Recovery)
}

// Variables is a list of environment variables in the order in which they are set.
type Variables []Variable

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// Shells returns the shells that Environment supports.
func Shells() []string { return []string{"posix", "fish", "powershell"} }

// Environment writes the commands that set variables in a shell, which is one of Shells. With JSON it writes an object
// of names and values. command is the command line that prints the variables, without the name of the program.
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
		fmt.Fprintf(&out, "# Run this in your shell: eval \"$(%s %s)\"\n", v.ProgramName(), command)
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

// Stopped reports that the local endpoint is stopped.
func (v *View) Stopped(wasRunning bool) error {
	if v.JSON {
		return v.Document(stoppedDocument{wasRunning})
	}
	if wasRunning {
		v.ok()
	} else if !v.Quiet {
		v.Print(i18n.M("The local endpoint was not running."))
	}
	return nil
}

// Reset reports that the data of the local endpoint was deleted.
func (v *View) Reset(wasRunning bool) error {
	if v.JSON {
		return v.Document(stoppedDocument{wasRunning})
	}
	v.ok()
	return nil
}

// TextWriter returns a writer to Out for untrusted lines. It sanitizes them for a terminal.
func (v *View) TextWriter() io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		if _, err := io.WriteString(v.Out, text.Lines(string(p))); err != nil {
			return 0, err
		}
		return len(p), nil
	})
}

// RawWriter returns a writer to Out for JSON lines. If a filter is set, the writer passes the lines to the filter.
func (v *View) RawWriter() io.Writer {
	if v.filter != nil {
		return &filterWriter{v: v}
	}
	return v.Out
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
