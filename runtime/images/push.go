package images

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/pkg/jsonmessage"
	"github.com/docker/go-units"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/images/registry"
)

// pushTries limits the attempts of a push. The registry keeps complete layers, so each attempt resumes where the
// previous one failed. The engine also retries the upload of a layer itself, with delays of up to 20 s. From the first
// retry on, by the engine or by push, the time counts against the command's budget.
const pushTries = 4

// push pushes the tag and returns the image's digest in the registry.
func (b *Builder) push(ctx context.Context, e *engine.Engine, ref reference.Named, out *printer) (string, error) {
	host := registry.Host(ref)
	if err := b.checkPush(ctx, e, host); err != nil {
		return "", err
	}
	header, user, err := b.credentials.Encoded(ctx, host)
	if err != nil {
		return "", err
	}
	var done func() // set from the first retry on, when the budget starts to be spent
	defer func() {
		if done != nil {
			done()
		}
	}()
	spend := func() {
		if done == nil {
			done = b.o.Budget.Spend(time.Now())
		}
	}
	try := func() (string, error) {
		p := &pushReport{out: out, progress: b.o.Progress, onRetry: spend}
		failure, err := b.pushOnce(ctx, e, ref, header, p)
		if ctx.Err() != nil {
			return "", backoff.Permanent(ctx.Err())
		}
		if errors.Is(err, errPushStalled) {
			return "", backoff.Permanent(fault.New(fault.Timeout,
				i18n.M("The push to the registry {{.Registry}} has made no progress for {{.Time}}.", "Registry", host, "Time", pushStallTimeout),
				i18n.M("Check the registry name and the network, then rerun the command; layers already pushed are skipped.")))
		}
		if failure == nil && err == nil {
			return p.digest, nil
		}
		spend()
		if err != nil {
			err = engineFault(ctx, e, err)
		} else {
			err = pushFault(failure, ref, host, user)
		}
		if failure != nil && !fault.Is(err, fault.Unavailable) || b.o.Budget.Left() == 0 {
			return "", backoff.Permanent(err)
		}
		return "", err
	}
	digest, err := backoff.Retry(ctx, try, backoff.WithMaxTries(pushTries), backoff.WithBackOff(&backoff.ExponentialBackOff{
		InitialInterval: 500 * time.Millisecond, RandomizationFactor: 1, Multiplier: 3, MaxInterval: 10 * time.Second,
	}), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, wait time.Duration) {
		b.o.Warn(i18n.M("The push to {{.Registry}} was interrupted and resumes in {{.Wait}}: {{.Error}}",
			"Registry", host, "Wait", wait.Round(100*time.Millisecond), "Error", err.Error()))
	}))
	if permanent, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = permanent.Unwrap()
	}
	if err != nil {
		return "", err
	}
	if digest == "" { // some engines do not report the digest but store it
		return repoDigest(ctx, e, ref)
	}
	return digest, nil
}

// pushStallTimeout limits the time between two messages of the engine during a push. The engine reports the progress of
// an upload continuously, but it waits indefinitely for a registry that does not respond.
const pushStallTimeout = 5 * time.Minute

// errPushStalled is the reason for canceling a push without messages.
var errPushStalled = errors.New("the push has stalled")

func (b *Builder) pushOnce(ctx context.Context, e *engine.Engine, ref reference.Named, header string, p *pushReport) (*jsonmessage.JSONError, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(pushStallTimeout, func() { cancel(errPushStalled) })
	defer silence.Stop()
	body, err := e.ImagePush(ctx, ref.String(), image.PushOptions{RegistryAuth: header})
	if errors.Is(context.Cause(ctx), errPushStalled) {
		return nil, errPushStalled
	}
	if err != nil {
		if rejected(err) {
			return &jsonmessage.JSONError{Message: err.Error()}, nil
		}
		return nil, err
	}
	defer body.Close()
	var failure *jsonmessage.JSONError
	err = readMessages(body, func(m jsonmessage.JSONMessage) error {
		silence.Reset(pushStallTimeout)
		if m.Error != nil {
			failure = m.Error
		} else {
			p.message(m)
		}
		return nil
	})
	if err != nil && errors.Is(context.Cause(ctx), errPushStalled) {
		return nil, errPushStalled
	}
	return failure, err
}

func repoDigest(ctx context.Context, e *engine.Engine, ref reference.Named) (string, error) {
	info, err := e.ImageInspect(ctx, ref.String())
	if err != nil {
		return "", engineFault(ctx, e, err)
	}
	for _, d := range info.RepoDigests {
		known, err := reference.ParseNormalizedNamed(d)
		if digested, ok := known.(reference.Digested); err == nil && ok && known.Name() == ref.Name() {
			return digested.Digest().String(), nil
		}
	}
	return "", fault.New(fault.Internal,
		i18n.M("The image was pushed, but the container engine did not report its digest."), i18n.Message{})
}

// pushReport counts layers and bytes, and reads the digest.
type pushReport struct {
	out      *printer
	progress func(done, total int64, unit string)
	onRetry  func() // called when the engine retries an upload
	layers   map[string]*pushLayer
	digest   string
}

type pushLayer struct {
	sent, total int64
	waiting     bool // until the engine retries the upload
}

// maxLayers is the maximum number of layers of an image (overlay2).
const maxLayers = 500

func (p *pushReport) message(m jsonmessage.JSONMessage) {
	if m.Aux != nil {
		var aux struct{ Digest string }
		if json.Unmarshal(*m.Aux, &aux) == nil && strings.HasPrefix(aux.Digest, "sha256:") {
			p.digest = aux.Digest
		}
	}
	if m.ID == "" {
		return
	}
	if p.layers == nil {
		p.layers = map[string]*pushLayer{}
	}
	l := p.layers[m.ID]
	if l == nil {
		if len(p.layers) == maxLayers || !layerStatus(m.Status) {
			return
		}
		l = &pushLayer{}
		p.layers[m.ID] = l
	}
	switch {
	case strings.HasPrefix(m.Status, retryPrefix): // a countdown with one message per second
		if !l.waiting {
			p.out.line(sanitize(m.ID + ": " + m.Status))
			p.onRetry()
		}
		l.waiting = true
	case m.Progress != nil && m.Status == "Pushing":
		l.waiting = false
		l.sent, l.total = m.Progress.Current, max(m.Progress.Total, m.Progress.Current)
	case m.Status == "Pushed" || strings.HasPrefix(m.Status, "Layer already exists") || strings.HasPrefix(m.Status, "Mounted from"):
		l.sent, l.waiting = l.total, false
		size := ""
		if l.total > 0 {
			size = " (" + units.HumanSize(float64(l.total)) + ")"
		}
		p.out.line(sanitize(m.ID + ": " + m.Status + size))
	}
	p.show()
}

// retryPrefix is the prefix of the engine's messages while it waits to retry the upload of a layer.
const retryPrefix = "Retrying in "

func layerStatus(s string) bool {
	return strings.HasPrefix(s, retryPrefix) || s == "Preparing" || s == "Waiting" || s == "Pushing" || s == "Pushed" || strings.HasPrefix(s, "Layer already") || strings.HasPrefix(s, "Mounted from")
}

// show reports the bytes of all layers whose size is known. The size is known once the upload has started.
func (p *pushReport) show() {
	var sent, total int64
	for _, l := range p.layers {
		sent, total = sent+l.sent, total+l.total
	}
	if total > 0 {
		p.progress(sent, total, "bytes")
	}
}
