package images

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/images/buildkit"
	"fn-runtime/runtime/images/engine"
)

// reporter reads the messages of a build.
type reporter interface {
	// message takes one message.
	message(m jsonmessage.JSONMessage)
	// step is the step that failed or was last at work, and the last lines of its output.
	step() (name string, lines []string)
	// image is the id of the image that was built, "" when the engine has not said.
	image() string
}

// build builds and tags the image, with BuildKit where the engine has it, and gives its id.
func (b *Builder) build(ctx context.Context, e *engine.Engine, ref reference.Named, spec entity.ImageBuild, f *folder, out *printer) (string, error) {
	opts := build.ImageBuildOptions{
		Tags: []string{ref.String()}, Platform: spec.Platform, PullParent: spec.Pull, NoCache: spec.NoCache,
		Remove: true, ForceRemove: true, BuildArgs: map[string]*string{}, Labels: labelled(spec.Labels, ref), Target: spec.Target,
		CacheFrom: spec.CacheFrom, NetworkMode: spec.Network,
	}
	if opts.Platform == "" {
		opts.Platform = entity.DefaultPlatform
	}
	for name, value := range spec.Args {
		opts.BuildArgs[name] = &value
	}
	if e.Exposed && len(spec.Secrets)+len(spec.SSH) > 0 {
		return "", readable(e, i18n.M("the build secrets"))
	}
	if e.BuildKit() && b.o.Getenv("DOCKER_BUILDKIT") != "0" {
		id, err := b.buildKit(ctx, e, opts, spec, f, out)
		if !errors.Is(err, errNoBuildKit) {
			return id, withHint(err, f.dockerfile)
		}
	}
	if len(spec.Secrets)+len(spec.SSH) > 0 {
		return "", fault.New(fault.Invalid, i18n.M("Secrets and SSH agents require BuildKit, but either this engine does not support it or DOCKER_BUILDKIT=0 disables it."),
			i18n.M("Build with Docker Engine 18.09 or later, without DOCKER_BUILDKIT=0."))
	}
	id, err := b.classic(ctx, e, opts, f, out)
	return id, withHint(err, f.dockerfile)
}

// classic builds from an archive.
func (b *Builder) classic(ctx context.Context, e *engine.Engine, opts build.ImageBuildOptions, f *folder, out *printer) (string, error) {
	var err error
	if opts.Dockerfile, err = f.archiveName(); err != nil {
		return "", err
	}
	opts.Version, opts.AuthConfigs = build.BuilderV1, b.accounts(ctx, e)
	archive, send := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := fault.Try(func() error { return f.write(ctx, send, opts.Dockerfile) })
		_ = send.CloseWithError(err)
		sent <- err
	}()
	id, err := run(ctx, e, archive, opts, &classicReport{out: out})
	_ = archive.Close()
	if wrong := <-sent; wrong != nil && ctx.Err() == nil && !errors.Is(wrong, io.ErrClosedPipe) { // a file of the context
		return "", wrong
	}
	return id, err
}

// errNoBuildKit is an engine that knows no sessions.
var errNoBuildKit = errors.New("the engine has no BuildKit")

// buildKit opens the session over which BuildKit asks for files, accounts and secrets, and builds.
func (b *Builder) buildKit(ctx context.Context, e *engine.Engine, opts build.ImageBuildOptions, spec entity.ImageBuild, f *folder, out *printer) (string, error) {
	building, broken := context.WithCancelCause(ctx)
	defer broken(nil)
	offer := buildkit.Offer{Account: func(ctx context.Context, host string) (string, string, error) {
		a, err := b.account(ctx, e, host)
		if err != nil {
			broken(err) // it says more than BuildKit's error about it
			return "", "", err
		}
		if a.IdentityToken != "" {
			return "", a.IdentityToken, nil
		}
		return a.Username, a.Password, nil
	}}
	var err error
	if offer.Folders, offer.SharedKey, err = f.offer(broken); err != nil {
		return "", err
	}
	if offer.Secrets, err = b.secrets(spec.Secrets); err != nil {
		return "", err
	}
	if offer.Agents, err = b.agents(spec.SSH); err != nil {
		return "", err
	}
	session, err := buildkit.Open(ctx, e.DialHijack, offer)
	switch {
	case err != nil && strings.Contains(err.Error(), "unable to upgrade"): // podman: the words are the client's
		return "", errNoBuildKit
	case err != nil:
		return "", engineFault(ctx, e, err)
	}
	defer session.Close()
	var id [16]byte
	_, _ = rand.Read(id[:])
	opts.Version, opts.SessionID, opts.BuildID = build.BuilderBuildKit, session.ID, hex.EncodeToString(id[:])
	opts.Dockerfile, opts.RemoteContext = filepath.Base(f.dockerfile), "client-session"

	// The engine ends a build whose connection breaks, but only once it notices: it is told as well.
	stop := context.AfterFunc(building, func() {
		ctx, cancel := grace.Context(ctx, timeToCleanUp)
		defer cancel()
		_ = e.BuildCancel(ctx, opts.BuildID)
	})
	defer stop()
	image, err := run(building, e, nil, opts, &kitReport{out: out})
	if ctx.Err() == nil && building.Err() != nil {
		return "", context.Cause(building)
	}
	return image, err
}

// timeToCleanUp is how long the end of an interrupted or failed build may take.
const timeToCleanUp = 20 * time.Second

// run starts the build, reads what the engine reports, and turns its failure into a fault.
func run(ctx context.Context, e *engine.Engine, archive io.Reader, opts build.ImageBuildOptions, r reporter) (string, error) {
	failure, err := talk(ctx, e, archive, opts, r)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case failure != nil:
		name, lines := r.step()
		return "", buildFault(failure, name, lines)
	case err != nil:
		return "", engineFault(ctx, e, err)
	}
	id := r.image()
	if id == "" { // podman says it in another way
		info, err := e.ImageInspect(ctx, opts.Tags[0])
		if err != nil {
			return "", engineFault(ctx, e, err)
		}
		id = info.ID
	}
	return id, nil
}

// talk gives the failure that the engine reports, or the error of talking to it.
func talk(ctx context.Context, e *engine.Engine, archive io.Reader, opts build.ImageBuildOptions, r reporter) (*jsonmessage.JSONError, error) {
	resp, err := e.ImageBuild(ctx, archive, opts)
	if err != nil {
		if refusal(err) { // an answer, not a broken connection
			return &jsonmessage.JSONError{Message: err.Error()}, nil
		}
		return nil, err
	}
	defer resp.Body.Close()
	var failure *jsonmessage.JSONError
	err = messages(resp.Body, func(m jsonmessage.JSONMessage) error {
		if m.Error != nil {
			failure = m.Error
		} else {
			r.message(m)
		}
		return nil
	})
	return failure, err
}

func imageSize(ctx context.Context, e *engine.Engine, ref reference.Named) (int64, error) {
	info, err := e.ImageInspect(ctx, ref.String())
	if err != nil {
		return 0, engineFault(ctx, e, err)
	}
	return info.Size, nil
}

// classicReport reads the classic builder's output: text, pull progress, and the image's id at the end.
type classicReport struct {
	out  *printer
	text tail
	at   string // "Step 2/5 : RUN make"
	id   string
}

func (r *classicReport) message(m jsonmessage.JSONMessage) {
	if m.Aux != nil {
		var aux struct{ ID string }
		if json.Unmarshal(*m.Aux, &aux) == nil && aux.ID != "" {
			r.id = aux.ID
		}
	}
	if m.Status != "" && m.Progress == nil {
		r.out.line(clean(strings.TrimPrefix(m.ID+": "+m.Status, ": ")))
	}
	for _, line := range r.text.write(m.Stream) {
		if strings.HasPrefix(strings.ToUpper(line), "STEP ") { // podman writes it in capitals
			r.at, r.text = strings.TrimSpace(line), tail{}
		}
		r.out.line(line)
	}
}

func (r *classicReport) step() (string, []string) { return r.at, r.text.last() }
func (r *classicReport) image() string            { return r.id }
