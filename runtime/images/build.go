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

// reporter processes the messages of a build.
type reporter interface {
	// message processes one message.
	message(m jsonmessage.JSONMessage)
	// step returns the failed or most recent step, and the last lines of its output.
	step() (name string, lines []string)
	// image returns the ID of the built image, or "" if the engine has not reported it.
	image() string
}

// build builds and tags the image, with BuildKit if the engine supports it, and returns its ID.
func (b *Builder) build(ctx context.Context, e *engine.Engine, ref reference.Named, spec entity.ImageBuild, f *buildContext, out *printer) (string, error) {
	opts := build.ImageBuildOptions{
		Tags: []string{ref.String()}, Platform: spec.Platform, PullParent: spec.Pull, NoCache: spec.NoCache,
		Remove: true, ForceRemove: true, BuildArgs: map[string]*string{}, Labels: withNameLabel(spec.Labels, ref), Target: spec.Target,
		CacheFrom: spec.CacheFrom, NetworkMode: spec.Network,
	}
	if opts.Platform == "" {
		opts.Platform = entity.DefaultPlatform
	}
	for name, value := range spec.Args {
		opts.BuildArgs[name] = &value
	}
	if e.Exposed && len(spec.Secrets)+len(spec.SSH) > 0 {
		return "", exposedFault(e, i18n.M("the build secrets"))
	}
	if e.BuildKit() && b.o.Getenv("DOCKER_BUILDKIT") != "0" {
		id, err := b.buildWithBuildKit(ctx, e, opts, spec, f, out)
		if !errors.Is(err, errNoBuildKit) {
			return id, withHeredocHint(err, f.dockerfile)
		}
	}
	if len(spec.Secrets)+len(spec.SSH) > 0 {
		return "", fault.New(fault.Invalid, i18n.M("Secrets and SSH agents require BuildKit, but either this engine does not support it or DOCKER_BUILDKIT=0 disables it."),
			i18n.M("Build with Docker Engine 18.09 or later, without DOCKER_BUILDKIT=0."))
	}
	id, err := b.buildClassic(ctx, e, opts, f, out)
	return id, withHeredocHint(err, f.dockerfile)
}

// buildClassic builds with the classic builder, which receives the context as an archive.
func (b *Builder) buildClassic(ctx context.Context, e *engine.Engine, opts build.ImageBuildOptions, f *buildContext, out *printer) (string, error) {
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
	id, err := runBuild(ctx, e, archive, opts, &classicReport{out: out})
	_ = archive.Close()
	if writeErr := <-sent; writeErr != nil && ctx.Err() == nil && !errors.Is(writeErr, io.ErrClosedPipe) { // such as a file of the context that cannot be read
		return "", writeErr
	}
	return id, err
}

// errNoBuildKit is returned if an engine does not support BuildKit sessions.
var errNoBuildKit = errors.New("the engine does not support BuildKit")

// buildWithBuildKit opens the session in which BuildKit requests files, credentials and secrets, and builds the image.
func (b *Builder) buildWithBuildKit(ctx context.Context, e *engine.Engine, opts build.ImageBuildOptions, spec entity.ImageBuild, f *buildContext, out *printer) (string, error) {
	building, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	options := buildkit.SessionOptions{Account: func(ctx context.Context, host string) (string, string, error) {
		a, err := b.account(ctx, e, host)
		if err != nil {
			fail(err) // more specific than BuildKit's error
			return "", "", err
		}
		if a.IdentityToken != "" {
			return "", a.IdentityToken, nil
		}
		return a.Username, a.Password, nil
	}}
	var err error
	if options.Dirs, options.SharedKey, err = f.buildKitDirs(fail); err != nil {
		return "", err
	}
	if options.Secrets, err = b.secrets(spec.Secrets); err != nil {
		return "", err
	}
	if options.Agents, err = b.sshAgents(spec.SSH); err != nil {
		return "", err
	}
	session, err := buildkit.Open(ctx, e.DialHijack, options)
	switch {
	case err != nil && strings.Contains(err.Error(), "unable to upgrade"): // podman; this text is from the Docker client
		return "", errNoBuildKit
	case err != nil:
		return "", engineFault(ctx, e, err)
	}
	defer session.Close()
	var id [16]byte
	_, _ = rand.Read(id[:])
	opts.Version, opts.SessionID, opts.BuildID = build.BuilderBuildKit, session.ID, hex.EncodeToString(id[:])
	opts.Dockerfile, opts.RemoteContext = filepath.Base(f.dockerfile), "client-session"

	// The engine cancels a build whose connection is closed, but it may detect that late. Cancel the build explicitly,
	// too.
	stop := context.AfterFunc(building, func() {
		ctx, cancel := grace.Context(ctx, cleanupTimeout)
		defer cancel()
		_ = e.BuildCancel(ctx, opts.BuildID)
	})
	defer stop()
	image, err := runBuild(building, e, nil, opts, &buildKitReport{out: out})
	if ctx.Err() == nil && building.Err() != nil {
		return "", context.Cause(building)
	}
	return image, err
}

// cleanupTimeout limits the cleanup after an interrupted or failed build.
const cleanupTimeout = 20 * time.Second

// runBuild starts the build, processes the engine's messages, and converts a failure to a fault.
func runBuild(ctx context.Context, e *engine.Engine, archive io.Reader, opts build.ImageBuildOptions, r reporter) (string, error) {
	failure, err := sendBuild(ctx, e, archive, opts, r)
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
	if id == "" { // podman does not report the ID in the stream
		info, err := e.ImageInspect(ctx, opts.Tags[0])
		if err != nil {
			return "", engineFault(ctx, e, err)
		}
		id = info.ID
	}
	return id, nil
}

// sendBuild sends the build request. It returns the failure that the engine reports, or an error of the connection.
func sendBuild(ctx context.Context, e *engine.Engine, archive io.Reader, opts build.ImageBuildOptions, r reporter) (*jsonmessage.JSONError, error) {
	resp, err := e.ImageBuild(ctx, archive, opts)
	if err != nil {
		if rejected(err) { // a response, not a broken connection
			return &jsonmessage.JSONError{Message: err.Error()}, nil
		}
		return nil, err
	}
	defer resp.Body.Close()
	var failure *jsonmessage.JSONError
	err = readMessages(resp.Body, func(m jsonmessage.JSONMessage) error {
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

// classicReport processes the classic builder's output: text, the progress of pulls, and the image ID at the end.
type classicReport struct {
	out     *printer
	text    tail
	current string // "Step 2/5 : RUN make"
	id      string
}

func (r *classicReport) message(m jsonmessage.JSONMessage) {
	if m.Aux != nil {
		var aux struct{ ID string }
		if json.Unmarshal(*m.Aux, &aux) == nil && aux.ID != "" {
			r.id = aux.ID
		}
	}
	if m.Status != "" && m.Progress == nil {
		r.out.line(sanitize(strings.TrimPrefix(m.ID+": "+m.Status, ": ")))
	}
	for _, line := range r.text.write(m.Stream) {
		if strings.HasPrefix(strings.ToUpper(line), "STEP ") { // podman prints it in upper case
			r.current, r.text = strings.TrimSpace(line), tail{}
		}
		r.out.line(line)
	}
}

func (r *classicReport) step() (string, []string) { return r.current, r.text.last() }
func (r *classicReport) image() string            { return r.id }
