package images

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/images/engine"
)

// checkTimeout limits the time in which an image must start, respond and import all modules.
const checkTimeout = 2 * time.Minute

// checkLabel marks the containers of checks, so that a container left behind by a killed process can be found.
const checkLabel = "fn-runtime.check"

// probe is a program that runs next to the action proxy in the container. It sends requests of the OpenWhisk protocol
// over the container's loopback interface, so that the check needs no network and also works with remote engines.
//
//go:embed probe.py
var probe string

// checkResult is the report of the probe.
type checkResult struct {
	Python  string            `json:"python"`  // "3.11"
	Missing map[string]string `json:"missing"` // module name to error
	Failure string            `json:"failure"` // violation of the protocol by the proxy, or ""
}

// check starts a container of the image and determines its Python version and the missing modules of a worker.
func check(ctx context.Context, e *engine.Engine, id string, spec entity.ImageBuild) (checkResult, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var f checkResult
	var err error
	if spec.Trial != nil {
		f, err = runTrialJob(ctx, e, id, spec)
	} else {
		f, err = probeImage(ctx, e, id, modules(spec))
	}
	switch {
	case outer.Err() != nil:
		return f, outer.Err()
	case ctx.Err() != nil && spec.Trial != nil:
		return f, unusableImage(i18n.M("its job did not finish within {{.Time}}", "Time", checkTimeout))
	case ctx.Err() != nil:
		return f, unusableImage(i18n.M("the action proxy did not respond within {{.Time}}", "Time", checkTimeout))
	case err != nil:
		return f, err
	case f.Failure != "":
		return f, unusableImage(i18n.M("{{.Failure}}", "Failure", inline(f.Failure)))
	case spec.Python != "" && f.Python != spec.Python:
		return f, fault.New(fault.Failed,
			i18n.M("The image {{.Image}} uses Python {{.Found}}, but the Lithops client uses {{.Wanted}}.", "Image", spec.Image, "Found", f.Python, "Wanted", spec.Python),
			i18n.M("Build on a base image with Python {{.Wanted}}, or push the image anyway with '--no-check'.", "Wanted", spec.Python))
	case len(f.Missing) > 0:
		return f, missingModules(spec.Image, f.Missing)
	}
	return f, nil
}

// modules returns the modules to check, never nil, because the probe expects a JSON list.
func modules(spec entity.ImageBuild) []string {
	if spec.Modules == nil {
		return []string{}
	}
	return spec.Modules
}

// missingModules returns the fault for an image that lacks modules. why holds the import error of each module.
func missingModules(image string, why map[string]string) error {
	names := make([]string, 0, len(why))
	for name := range why {
		names = append(names, inline(name))
	}
	sort.Strings(names)
	f := fault.New(fault.Failed,
		i18n.M("The image {{.Image}} lacks modules that Lithops workers import: {{.Modules}}.", "Image", image, "Modules", strings.Join(names, ", ")),
		i18n.M("Add the packages of these modules to the image, as in the requirements.txt from 'ibmcloud fn-runtime init', or push the image anyway with '--no-check'."))
	for _, name := range names {
		f.With(name + ": " + inline(why[name]))
	}
	return f
}

// unusableImage returns the fault for an image that cannot be used as a runtime. why completes a sentence.
func unusableImage(why i18n.Message) *fault.Fault {
	return fault.New(fault.Failed,
		i18n.M("The image cannot be used as a runtime: {{.Why}}.", "Why", why),
		i18n.M("Compare its Dockerfile with the one from 'ibmcloud fn-runtime init', or push it anyway with '--no-check'."))
}

// probeImage runs the probe in a container, and always removes the container.
func probeImage(ctx context.Context, e *engine.Engine, id string, modules []string) (f checkResult, err error) {
	removeStale(ctx, e)
	pids := int64(256)
	created, err := e.ContainerCreate(ctx, &container.Config{Image: id, Labels: map[string]string{checkLabel: "1"}},
		&container.HostConfig{NetworkMode: "none", Resources: container.Resources{PidsLimit: &pids}}, "fn-runtime-check-"+strings.ToLower(rand.Text()[:12]))
	if err != nil {
		if strings.Contains(strings.ToLower(err.Error()), "no command") { // Docker's "No command specified", podman's "no command or entrypoint provided"
			return f, unusableImage(i18n.M("it has neither an ENTRYPOINT nor a CMD")).Because(err)
		}
		return f, engineFault(ctx, e, err)
	}
	defer removeContainer(ctx, e, created.ID)
	if err := e.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		if rejected(err) {
			return f, unusableImage(i18n.M("it does not start")).With(inline(err.Error()))
		}
		return f, engineFault(ctx, e, err)
	}
	output, err := execProbe(ctx, e, created.ID, modules)
	if err == nil {
		err = json.Unmarshal([]byte(lastLine(output)), &f)
	}
	if err == nil || ctx.Err() != nil {
		return f, ctx.Err()
	}
	if code, ok := exited(ctx, e, created.ID); ok {
		return f, unusableImage(i18n.M("its program exits with code {{.Code}}", "Code", code)).With(containerLogs(ctx, e, created.ID)...).Because(err)
	}
	if _, pingErr := e.Ping(ctx); pingErr != nil {
		return f, engineFault(ctx, e, err)
	}
	return f, unusableImage(i18n.M("it cannot run Python")).With(inline(output)).With(containerLogs(ctx, e, created.ID)...).Because(err)
}

// exitDelay limits the time in which the engine detects that a program has exited.
const exitDelay = 2 * time.Second

// exited reports whether the container's program has exited, and its exit code. If it exits, the probe's connection
// ends before the engine reports the exit. exited therefore waits for the report, so that the result does not depend on
// timing.
func exited(ctx context.Context, e *engine.Engine, id string) (code int64, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, exitDelay)
	defer cancel()
	wait, failed := e.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case end := <-wait:
		return end.StatusCode, end.Error == nil
	case <-failed: //nolint:errcheck // the exit status is unknown
		return 0, false
	}
}

// execProbe runs the probe with the Python 3 on the container's PATH and returns its output.
func execProbe(ctx context.Context, e *engine.Engine, id string, modules []string) (string, error) {
	request, err := json.Marshal(map[string]any{"modules": modules})
	if err != nil {
		return "", err
	}
	run, err := e.ContainerExecCreate(ctx, id, container.ExecOptions{AttachStdout: true, AttachStderr: true, Cmd: []string{
		"/bin/sh", "-c", `p=$(command -v python3 || command -v python) || { echo "neither python3 nor python is on PATH $PATH" >&2; exit 127; }; exec "$p" -c "$1" "$2"`,
		"sh", probe, string(request)}})
	if err != nil {
		return "", err
	}
	stream, err := e.ContainerExecAttach(ctx, run.ID, container.ExecAttachOptions{})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, stream.Close)() // a hijacked connection ignores ctx
	var out, errs bytes.Buffer
	if _, err := stdcopy.StdCopy(&limited{&out, 1 << 20}, &limited{&errs, 64 << 10}, stream.Reader); err != nil {
		return "", err
	}
	if out.Len() == 0 {
		return errs.String(), errors.New("the probe printed no output")
	}
	return out.String(), nil
}

// limited keeps the first bytes and discards the rest.
type limited struct {
	w    *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := min(l.left, len(p))
	l.left -= keep
	l.w.Write(p[:keep])
	return len(p), nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// containerLogs returns the last lines of output of the container's program.
func containerLogs(ctx context.Context, e *engine.Engine, id string) []string {
	r, err := e.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "20"})
	if err != nil {
		return nil
	}
	defer r.Close()
	var out bytes.Buffer
	both := &limited{&out, 64 << 10}
	_, _ = stdcopy.StdCopy(both, both, io.LimitReader(r, 1<<20))
	var t tail
	t.write(out.String())
	return t.last()
}

// removeContainer removes a container even if ctx has ended.
func removeContainer(ctx context.Context, e *engine.Engine, id string) {
	ctx, cancel := grace.Context(ctx, cleanupTimeout)
	defer cancel()
	_ = e.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
}

// removeStale removes the containers of killed checks. Younger containers may belong to a running check.
func removeStale(ctx context.Context, e *engine.Engine) {
	list, err := e.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", checkLabel))})
	if err != nil {
		return
	}
	for _, c := range list {
		if time.Since(time.Unix(c.Created, 0)) > 2*checkTimeout {
			removeContainer(ctx, e, c.ID)
		}
	}
}
