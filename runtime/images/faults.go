package images

import (
	"context"
	"errors"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/regular"
	"fn-runtime/runtime/text"
)

// exitCode matches the exit code of a step in the messages of the classic builder, BuildKit and podman.
var exitCode = text.NewPattern(`(?:exit code: |returned a non-zero code: |exit status )(\d+)`)

// rejected reports whether an error is the engine's response to a request.
func rejected(err error) bool {
	return errdefs.IsInvalidArgument(err) || errdefs.IsNotFound(err) || errdefs.IsConflict(err) || errdefs.IsInternal(err) ||
		errdefs.IsUnauthorized(err) || errdefs.IsPermissionDenied(err) || errdefs.IsNotImplemented(err)
}

// engineFault returns the fault for a lost connection to the engine, or for a request that the engine unexpectedly
// rejects.
func engineFault(ctx context.Context, e *engine.Engine, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ok := errors.AsType[*fault.Fault](err); ok {
		return err
	}
	ping, cancel := grace.Context(ctx, cleanupTimeout)
	defer cancel()
	if _, pingErr := e.Ping(ping); pingErr != nil || !rejected(err) {
		return fault.New(fault.Unavailable,
			i18n.M("The connection to the container engine at {{.Host}} was lost.", "Host", e.Host),
			i18n.M("Check that the engine is running ('docker info'), then rerun the command; it resumes after the last completed step.")).
			With(sanitize(err.Error())).Because(err)
	}
	return fault.New(fault.Failed, i18n.M("The container engine rejected the request: {{.Error}}.", "Error", inline(err.Error())),
		i18n.M("Fix the errors above, then rerun the command.")).Because(err)
}

// cause is a kind of failure that is identified by the text of an engine's message.
type cause struct {
	patterns []string // lower case; any of them matches
	kind     fault.Kind
	reason   i18n.Message // with {{.Step}} and {{.Error}}
	recovery i18n.Message
}

// buildCauses are matched in order. The patterns are from Docker Engine 20 to 29, BuildKit and podman.
var buildCauses = []cause{
	{[]string{"no space left on device"}, fault.Failed,
		i18n.M("The disk of the container engine is full."), i18n.M("Free disk space, for example with 'docker system prune', and rebuild.")},
	{[]string{"toomanyrequests", "too many requests", "pull rate limit"}, fault.Throttled,
		i18n.M("The rate limit of the base image's registry was exceeded ({{.Step}})."), i18n.M("Try again later, or log in for a higher limit: 'docker login'.")},
	{[]string{"dockerfile parse error", "failed to parse dockerfile", "unknown instruction", "no build stage in current context", "dockerfile cannot be empty", "file with no instructions"}, fault.Invalid,
		i18n.M("The Dockerfile cannot be read: {{.Error}}."), i18n.M("Fix the Dockerfile.")},
	{[]string{"does not match the specified platform", "no match for platform", "no matching manifest"}, fault.NotFound,
		i18n.M("The base image is not available for this platform ({{.Step}}): {{.Error}}."), i18n.M("Choose another base image or another '--platform'.")},
	{[]string{"pull access denied", "insufficient_scope", "requested access to the resource is denied"}, fault.NotFound,
		i18n.M("The base image does not exist or requires a login ({{.Step}}): {{.Error}}."), i18n.M("Check its name in the Dockerfile, or log in to its registry with 'docker login'.")},
	{[]string{"unauthorized", "authentication required", "no basic auth credentials", "failed to authorize", "401 unauthorized", "403 forbidden"}, fault.Denied,
		i18n.M("The registry of the base image denied access ({{.Step}}): {{.Error}}."), i18n.M("Log in to that registry with 'docker login REGISTRY'.")},
	{[]string{"manifest unknown", "manifest for", "repository name not known", "name unknown"}, fault.NotFound,
		i18n.M("The base image was not found ({{.Step}}): {{.Error}}."), i18n.M("Check its name and tag in the Dockerfile.")},
	{[]string{"copy failed", "failed to compute cache key", "failed to calculate checksum", "forbidden path outside the build context", "add failed"}, fault.Invalid,
		i18n.M("A file that the Dockerfile copies is not in the build context ({{.Step}}): {{.Error}}."), i18n.M("Check the path in the Dockerfile, and check that '.dockerignore' does not exclude the file.")},
	{[]string{"exec format error"}, fault.Failed,
		i18n.M("The container engine cannot run programs for this platform ({{.Step}})."), i18n.M("Build on a machine of that platform, or install emulation for it (qemu-user-static).")},
	{[]string{"no such host", "dial tcp", "i/o timeout", "tls handshake timeout", "connection refused", "connection reset", "request canceled while waiting", "x509:", "server gave http response"}, fault.Unavailable,
		i18n.M("The registry of the base image cannot be reached ({{.Step}}): {{.Error}}."), i18n.M("Check the image name and the network, or specify a local base image with '--build-arg BASE=IMAGE'.")},
	{[]string{": not found"}, fault.NotFound,
		i18n.M("The base image was not found ({{.Step}}): {{.Error}}."), i18n.M("Check its name and tag in the Dockerfile.")},
}

// frontendStep is the prefix of BuildKit's step that resolves the image of a '# syntax=' line.
const frontendStep = "resolve image config for "

// heredoc matches an instruction that uses a heredoc.
var heredoc = text.NewPattern(`(?mi)^\s*(?:RUN|COPY|ADD)\s.*<<-?["']?\w`)

// withHeredocHint adds the requirements of heredocs to the fault of an invalid Dockerfile, because a builder without
// support for heredocs parses their lines as instructions.
func withHeredocHint(err error, dockerfile string) error {
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	content, unread := regular.Read(dockerfile, maxDockerfile)
	if unread != nil || !heredoc.Match(content) {
		return err
	}
	return fault.New(fault.Invalid, i18n.M("The Dockerfile uses heredocs ('<<EOF'), which this builder does not support: {{.Error}}", "Error", err.Error()),
		i18n.M("Build with Docker Engine 23 or later and without DOCKER_BUILDKIT=0, or join the lines with '&& \\'.")).Because(err)
}

// buildFault returns the fault for a failed build. It contains the step with its exit code and last lines, or the cause
// that is recognized in the engine's message.
func buildFault(failure *jsonmessage.JSONError, step string, lines []string) error {
	message := strings.ToLower(failure.Message)
	full := strings.Contains(message, "no space left on device")
	for _, l := range lines {
		full = full || strings.Contains(strings.ToLower(l), "no space left on device")
	}
	if m := exitCode.FindStringSubmatch(failure.Message); m != nil && !full {
		return fault.New(fault.Failed,
			i18n.M("A step of the Dockerfile failed with exit code {{.Code}}: {{.Step}}.", "Code", m[1], "Step", inline(step)),
			i18n.M("Fix that step and rebuild; the preceding steps are kept.")).With(lines...).Because(failure)
	}
	if full {
		message = buildCauses[0].patterns[0]
	}
	if step == "" {
		step = "FROM"
	}
	if image, is := strings.CutPrefix(step, frontendStep); is {
		return fault.New(fault.Unavailable,
			i18n.M("The image {{.Image}} in the Dockerfile's '# syntax=' line cannot be pulled: {{.Error}}.", "Image", strings.TrimPrefix(image, "docker-image://"), "Error", inline(failure.Message)),
			i18n.M("Check its name and the network, or delete the line, which most Dockerfiles do not need.")).Because(failure)
	}
	for _, c := range buildCauses {
		if c.matches(message) {
			return fault.New(c.kind, c.reason.With("Step", inline(step), "Error", inline(failure.Message)), c.recovery).
				With(lines...).Because(failure)
		}
	}
	return fault.New(fault.Failed,
		i18n.M("The build failed ({{.Step}}): {{.Error}}.", "Step", inline(step), "Error", inline(failure.Message)),
		i18n.M("Fix the Dockerfile and rebuild.")).With(lines...).Because(failure)
}

func (c cause) matches(message string) bool {
	for _, pattern := range c.patterns {
		if strings.Contains(message, pattern) {
			return true
		}
	}
	return false
}

// inline returns external text for use within a sentence: in one line, sanitized, without periods at its end.
func inline(s string) string {
	return strings.TrimRight(sanitize(strings.Join(strings.Fields(s), " ")), ". ")
}
