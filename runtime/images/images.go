// Package images makes runtime images: it builds them with the Docker Engine, checks that a Lithops worker can run in
// them, pushes them, and reads their digests.
//
// What may go in: what an image needs on its way from a folder to a registry. What may not: where engines and accounts
// are found (engine, registry), BuildKit's wire formats (buildkit), what a skeleton holds (skeleton), and anything of
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

// Options says what surrounds a build. The zero value of a field means: the default.
type Options struct {
	Getenv func(string) string // of the process; nil: an empty environment
	Home   string              // the user's home

	// Of the Lithops configuration: docker_server, docker_user, docker_password.
	Server, User, Password string

	Transport http.RoundTripper // for registry reads; it carries retries and traces
	Budget    *transport.Budget // what the command may spend on repetitions, the push's too; nil: no bound but the tries

	// What watches: the steps that begin and end, the bytes of the current one, and what should be acted on.
	Begin    func(step i18n.Message) (end func(error))
	Progress func(done, total int64, unit string)
	Warn     func(i18n.Message)

	Checked string // folder that remembers which images passed their check; "" checks each time
}

// Builder builds, checks and pushes images. It connects to the engine when it needs it the first time.
type Builder struct {
	o           Options
	credentials registry.Credentials
	exposed     sync.Once // guards the warning of an engine that gets no accounts

	mu     sync.Mutex
	engine *engine.Engine
}

// New makes a Builder. Nothing is dialled or read.
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

// Close lets go of the engine.
func (b *Builder) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine == nil {
		return nil
	}
	return b.engine.Close()
}

// Build builds the image, checks it when Check is set, and pushes it when Push is set. progress gets lines of plain
// text; nil is silence. On a failure after the build itself the image stays in the engine, so that a second run goes on
// from there. Faults say what to do; a ctx that ends stops the build inside the engine too.
func (b *Builder) Build(ctx context.Context, spec entity.ImageBuild, progress io.Writer) (entity.ImageBuilt, error) {
	var built entity.ImageBuilt
	ref, err := parse(spec.Image)
	if err != nil {
		return built, err
	}
	out := newPrinter(progress)
	var e *engine.Engine
	err = b.step(i18n.M("Building image {{.Image}}", "Image", spec.Image), func() error {
		folder, err := openFolder(spec.Context, spec.Dockerfile)
		if err == nil {
			err = b.fits(folder)
		}
		if err == nil {
			err = folder.add(ctx, spec.ExtraFile)
		}
		if err != nil {
			return err
		}
		if e, err = b.connect(ctx); err != nil {
			return err
		}
		if spec.Push { // before the work of a build is done in vain
			if err = b.mayPush(ctx, e, registry.Host(ref)); err != nil {
				return err
			}
		}
		if built.ID, err = b.build(ctx, e, ref, spec, folder, out); err == nil {
			built.Size, err = imageSize(ctx, e, ref)
		}
		return err
	})
	if err == nil && spec.Check {
		err = b.step(i18n.M("Checking image {{.Image}}", "Image", spec.Image), func() error {
			built.Python, err = b.check(ctx, e, built.ID, spec)
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

// pushFixed pushes the image under the tag that is never moved, too.
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

// step does one part of a build under the eyes of who watches.
func (b *Builder) step(name i18n.Message, work func() error) error {
	end := b.o.Begin(name)
	err := fault.During(name, work())
	end(err)
	return err
}

// Digest asks the registry what the image's tag points to now: "sha256:...". A reference that has a digest is its own
// answer. With soon nothing is asked twice. Faults: NotFound, Denied, Throttled, Unavailable.
func (b *Builder) Digest(ctx context.Context, image string, soon bool) (string, error) {
	ref, err := normalized(image)
	if err != nil {
		return "", err
	}
	if d, ok := ref.(reference.Digested); ok {
		return d.Digest().String(), nil
	}
	if soon {
		ctx = transport.With(ctx, transport.Call{Once: true})
	}
	return b.credentials.Digest(ctx, ref, b.o.Transport)
}

// check returns the Python of an image that is fit for a worker, from memory when it has passed before.
func (b *Builder) check(ctx context.Context, e *engine.Engine, id string, spec entity.ImageBuild) (string, error) {
	memory := checked{b.o.Checked}
	if python, ok := memory.passed(id, spec); ok {
		return python, nil
	}
	found, err := check(ctx, e, id, spec)
	if err == nil {
		memory.remember(id, spec, found.Python)
	}
	return found.Python, err
}

func (b *Builder) connect(ctx context.Context) (*engine.Engine, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine != nil {
		return b.engine, nil
	}
	e, err := engine.Find(ctx, engine.Options{Getenv: b.o.Getenv, Home: b.o.Home})
	if err != nil {
		return nil, fault.During(i18n.M("Connecting to the Docker Engine"), err)
	}
	b.engine = e
	return e, nil
}

// parse checks a name as Docker and Lithops do, and gives it with registry and tag.
func parse(image string) (reference.Named, error) {
	if err := lithops.ValidateImage(image); err != nil {
		return nil, err
	}
	return normalized(image)
}

func normalized(image string) (reference.Named, error) {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, fault.New(fault.Invalid,
			i18n.M("{{.Image}} is not a valid image name: {{.Error}}.", "Image", image, "Error", err),
			i18n.M("Specify a name such as 'user/name:tag'.")).Because(err)
	}
	return reference.TagNameOnly(ref), nil
}

// Ping reports whether a container engine answers, and returns its address.
func (b *Builder) Ping(ctx context.Context) (engine string, err error) {
	e, err := b.connect(ctx)
	if err != nil {
		return "", err
	}
	return e.Host, nil
}

// Local returns the names with tags of the images that the engine has, sorted.
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
