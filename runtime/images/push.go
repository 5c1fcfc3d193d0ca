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

// pushTries is how often a push is begun. The registry keeps the layers that arrived, so that each try goes on where
// the one before it broke. The engine repeats each layer's upload by itself, too, with waits of up to 20 s: the time from
// then on is the command's budget already.
const pushTries = 4

// push pushes the tag and gives the digest under which the registry keeps the image.
func (b *Builder) push(ctx context.Context, e *engine.Engine, ref reference.Named, out *printer) (string, error) {
	host := registry.Host(ref)
	if err := b.mayPush(ctx, e, host); err != nil {
		return "", err
	}
	header, user, err := b.credentials.Encoded(ctx, host)
	if err != nil {
		return "", err
	}
	var done func() // set from the first repetition on, the engine's or ours: the budget pays
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
		p := &pushReport{out: out, progress: b.o.Progress, repeats: spend}
		failure, err := b.pushOnce(ctx, e, ref, header, p)
		if ctx.Err() != nil {
			return "", backoff.Permanent(ctx.Err())
		}
		if errors.Is(err, errSilent) {
			return "", backoff.Permanent(fault.New(fault.Timeout,
				i18n.M("The push to the registry {{.Registry}} has made no progress for {{.Time}}.", "Registry", host, "Time", pushSilence),
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
	if digest == "" { // an engine that does not report it knows it
		return repoDigest(ctx, e, ref)
	}
	return digest, nil
}

// pushSilence is how long a push may go on without a message of the engine. A layer that is being sent is reported all the
// time, but the engine itself waits without end for a registry that does not answer.
const pushSilence = 5 * time.Minute

// errSilent ends a push of which nothing is heard.
var errSilent = errors.New("the push does not move")

func (b *Builder) pushOnce(ctx context.Context, e *engine.Engine, ref reference.Named, header string, p *pushReport) (*jsonmessage.JSONError, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(pushSilence, func() { cancel(errSilent) })
	defer silence.Stop()
	body, err := e.ImagePush(ctx, ref.String(), image.PushOptions{RegistryAuth: header})
	if errors.Is(context.Cause(ctx), errSilent) {
		return nil, errSilent
	}
	if err != nil {
		if refusal(err) {
			return &jsonmessage.JSONError{Message: err.Error()}, nil
		}
		return nil, err
	}
	defer body.Close()
	var failure *jsonmessage.JSONError
	err = messages(body, func(m jsonmessage.JSONMessage) error {
		silence.Reset(pushSilence)
		if m.Error != nil {
			failure = m.Error
		} else {
			p.message(m)
		}
		return nil
	})
	if err != nil && errors.Is(context.Cause(ctx), errSilent) {
		return nil, errSilent
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
		i18n.M("The image was pushed, but the Docker Engine did not report its digest."), i18n.Message{})
}

// pushReport counts layers and bytes, and finds the digest.
type pushReport struct {
	out      *printer
	progress func(done, total int64, unit string)
	repeats  func() // is called when the engine repeats something
	layers   map[string]*pushLayer
	digest   string
}

type pushLayer struct {
	sent, total int64
	waiting     bool // until the engine sends it again
}

// maxLayers is the most that an image can have (overlay2).
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
	case strings.HasPrefix(m.Status, retrying): // it counts down, a message a second
		if !l.waiting {
			p.out.line(clean(m.ID + ": " + m.Status))
			p.repeats()
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
		p.out.line(clean(m.ID + ": " + m.Status + size))
	}
	p.show()
}

// retrying begins what the engine says while it waits before it sends a layer again.
const retrying = "Retrying in "

func layerStatus(s string) bool {
	return strings.HasPrefix(s, retrying) || s == "Preparing" || s == "Waiting" || s == "Pushing" || s == "Pushed" || strings.HasPrefix(s, "Layer already") || strings.HasPrefix(s, "Mounted from")
}

// show reports the bytes of all layers whose size is known. A layer has one once it is being sent.
func (p *pushReport) show() {
	var sent, total int64
	for _, l := range p.layers {
		sent, total = sent+l.sent, total+l.total
	}
	if total > 0 {
		p.progress(sent, total, "bytes")
	}
}
