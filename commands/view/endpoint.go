package view

import (
	"io"
	"strconv"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/text"
)

// Endpoint is the local endpoint as it is shown: without credentials.
type Endpoint struct {
	Running   bool
	PID       int
	URL       string
	S3URL     string
	Namespace string
	Bucket    string
	CAFile    string
	CABundle  string
	Python    string
	Invoker   string
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
	PID        int     `json:"pid"`
	Endpoint   string  `json:"endpoint"`
	S3Endpoint string  `json:"s3_endpoint"`
	Namespace  string  `json:"namespace"`
	Bucket     string  `json:"bucket"`
	CAFile     string  `json:"ca_file"`
	CABundle   string  `json:"ca_bundle"` // the system's authorities and the endpoint's: for REQUESTS_CA_BUNDLE
	Python     string  `json:"python"`    // interpreter of the actions
	Invoker    string  `json:"invoker"`
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
			e.Running, e.PID, e.URL, e.S3URL, e.Namespace, e.Bucket, e.CAFile, e.CABundle, e.Python, e.Invoker, timestamp(e.StartedAt), e.Version, e.Secrets,
		})
	}
	v.endProgress()
	if !e.Running {
		v.Say(i18n.M("The local endpoint does not run. Start it with 'ibmcloud fn-runtime local start'."))
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
		{i18n.M("Certificate"), c(e.CAFile)},
		{i18n.M("Process"), strconv.Itoa(e.PID)},
		{i18n.M("Started"), shortTime(e.StartedAt)},
	})
	v.Say(i18n.M("Print the matching Lithops configuration with 'ibmcloud fn-runtime lithops-config -b local --show-secrets'."))
	return nil
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
	} else {
		v.ok(i18n.M("The local endpoint did not run."))
	}
	return nil
}

// TextWriter gives a writer to Out for lines from elsewhere, made safe for a terminal.
func (v *View) TextWriter() io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		if _, err := io.WriteString(v.Out, text.Lines(string(p))); err != nil {
			return 0, err
		}
		return len(p), nil
	})
}

// RawWriter gives a writer to Out for JSON lines from elsewhere, which are passed on as they are.
func (v *View) RawWriter() io.Writer { return v.Out }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
