// Package images creates runtime images: it builds them with the Docker Engine, checks that a Lithops worker can run in
// them, pushes them, and reads their digests.
//
// The package contains all steps from a directory to an image in a registry. It does not find engines (engine) and
// credentials (registry), implement BuildKit's wire formats (buildkit), provide the skeleton (skeleton), or handle
// actions and namespaces.
package images

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/images/registry"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// Options configures a Builder.
type Options struct {
	Getenv func(string) string // reads the environment; nil means an empty environment
	Home   string              // home directory of the user

	// Server, User and Password are docker_server, docker_user and docker_password of the Lithops configuration.
	Server, User, Password string

	Transport http.RoundTripper // for registry reads; it retries and traces
	Budget    *transport.Budget // for the retries of the command, including pushes; if nil, only the number of attempts is limited

	// Begin, Progress and Warn receive the start and end of steps, the progress of the current step in bytes, and
	// warnings.
	Begin    func(step i18n.Message) (end func(error))
	Progress func(done, total int64, unit string)
	Warn     func(i18n.Message)

	CheckCache string // directory of the cache of passed checks; "" disables it
}

// Builder builds, checks and pushes images. It connects to the engine when the connection is first needed.
type Builder struct {
	o           Options
	credentials registry.Credentials
	exposed     sync.Once // guards the warning about an engine that gets no credentials

	mu     sync.Mutex
	engine *engine.Engine
}

// New returns a Builder. It neither connects nor reads anything.
func New(o Options) *Builder {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Begin == nil {
		o.Begin = func(i18n.Message) func(error) { return func(error) {} }
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64, string) {}
	}
	if o.Warn == nil {
		o.Warn = func(i18n.Message) {}
	}
	return &Builder{o: o, credentials: registry.Credentials{
		Dir: registry.Dir(o.Getenv, o.Home), Server: o.Server, User: o.User, Password: o.Password,
	}}
}

// Close closes the connection to the engine.
func (b *Builder) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine == nil {
		return nil
	}
	return b.engine.Close()
}

// Build builds the image, checks it if Check is set, and pushes it if Push is set. It writes lines of plain text to
// progress, which may be nil. If the check or the push fails, the image stays in the engine, so that the next run
// resumes there. Errors are faults with a suggestion. If ctx ends, the build in the engine is canceled, too.
func (b *Builder) Build(ctx context.Context, spec entity.ImageBuild, progress io.Writer) (entity.ImageBuilt, error) {
	var built entity.ImageBuilt
	ref, err := parse(spec.Image)
	if err != nil {
		return built, err
	}
	out := newPrinter(progress)
	var e *engine.Engine
	err = b.step(i18n.M("Building image {{.Image}}", "Image", spec.Image), func() error {
		files, err := openContext(spec.Context, spec.Dockerfile)
		if err == nil {
			err = b.checkSize(files)
		}
		if err == nil {
			err = files.addExtraFile(ctx, spec.ExtraFile)
		}
		if err != nil {
			return err
		}
		if e, err = b.connect(ctx); err != nil {
			return err
		}
		if spec.Push { // so that no build runs whose push must fail
			if err = b.checkPush(ctx, e, registry.Host(ref)); err != nil {
				return err
			}
		}
		if built.ID, err = b.build(ctx, e, ref, spec, files, out); err == nil {
			built.Size, err = imageSize(ctx, e, ref)
		}
		return err
	})
	if err == nil && spec.Check {
		err = b.step(i18n.M("Checking image {{.Image}}", "Image", spec.Image), func() error {
			built.Python, err = b.checkCached(ctx, e, built.ID, spec)
			return err
		})
	}
	if err == nil && spec.Push {
		err = b.step(i18n.M("Pushing image {{.Image}}", "Image", spec.Image), func() error {
			built.Digest, err = b.push(ctx, e, ref, out)
			if err == nil && spec.Pin {
				err = b.pushFixed(ctx, e, ref, built.Digest, out)
			}
			return err
		})
	}
	return built, err
}

// pushFixed also pushes the image under its fixed tag.
func (b *Builder) pushFixed(ctx context.Context, e *engine.Engine, ref reference.Named, digest string, out *printer) error {
	fixed, err := parse(entity.FixedTag(ref.String(), digest))
	if err != nil {
		return err
	}
	if err := e.ImageTag(ctx, ref.String(), fixed.String()); err != nil {
		return engineFault(ctx, e, err)
	}
	_, err = b.push(ctx, e, fixed, out)
	return err
}

// step runs one step of a build and reports its start and end.
func (b *Builder) step(name i18n.Message, work func() error) error {
	end := b.o.Begin(name)
	err := fault.During(name, work())
	end(err)
	return err
}

// Digest returns the digest ("sha256:...") that the image's tag currently has in the registry. If the reference
// contains a digest, it returns that digest. If noRetry is set, no request is retried. Faults: NotFound, Denied,
// Throttled, Unavailable.
func (b *Builder) Digest(ctx context.Context, image string, noRetry bool) (string, error) {
	ref, err := normalize(image)
	if err != nil {
		return "", err
	}
	if d, ok := ref.(reference.Digested); ok {
		return d.Digest().String(), nil
	}
	if noRetry {
		ctx = transport.With(ctx, transport.Call{NoRetry: true})
	}
	return b.credentials.Digest(ctx, ref, b.o.Transport)
}

// checkCached checks the image and returns its Python version. If the image has passed before, it returns the cached
// version.
func (b *Builder) checkCached(ctx context.Context, e *engine.Engine, id string, spec entity.ImageBuild) (string, error) {
	cache := checkCache{b.o.CheckCache}
	if python, ok := cache.get(id, spec); ok {
		return python, nil
	}
	result, err := check(ctx, e, id, spec)
	if err == nil {
		cache.put(id, spec, result.Python)
	}
	return result.Python, err
}

func (b *Builder) connect(ctx context.Context) (*engine.Engine, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine != nil {
		return b.engine, nil
	}
	e, err := engine.Find(ctx, engine.Options{Getenv: b.o.Getenv, Home: b.o.Home})
	if err != nil {
		return nil, fault.During(i18n.M("Connecting to the container engine"), err)
	}
	b.engine = e
	return e, nil
}

// parse validates an image name by the rules of Docker and Lithops, and returns it with registry and tag.
func parse(image string) (reference.Named, error) {
	if err := lithops.ValidateImage(image); err != nil {
		return nil, err
	}
	return normalize(image)
}

func normalize(image string) (reference.Named, error) {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, fault.New(fault.Invalid,
			i18n.M("{{.Image}} is not a valid image name: {{.Error}}.", "Image", image, "Error", err),
			i18n.M("Specify a name such as 'user/name:tag'.")).Because(err)
	}
	return reference.TagNameOnly(ref), nil
}

// Ping reports whether a container engine responds, and returns its address.
func (b *Builder) Ping(ctx context.Context) (engine string, err error) {
	e, err := b.connect(ctx)
	if err != nil {
		return "", err
	}
	return e.Host, nil
}

// Local returns the names, with tags, of the images in the engine, sorted.
func (b *Builder) Local(ctx context.Context) ([]string, error) {
	e, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	list, err := e.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, one := range list {
		for _, tag := range one.RepoTags {
			if !strings.Contains(tag, "<none>") {
				names = append(names, tag)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
