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

// timeToCheck is how long an image may take to start, to answer and to import everything.
const timeToCheck = 2 * time.Minute

// checkLabel marks the containers of checks, so that one that outlived a killed process is found.
const checkLabel = "fn-runtime.check"

// probe is what runs beside the proxy in the container: it speaks OpenWhisk's protocol to it over the container's own
// loopback, so that the check needs no network and works on remote engines too.
//
//go:embed probe.py
var probe string

// found is the probe's report.
type found struct {
	Python  string            `json:"python"`  // "3.11"
	Missing map[string]string `json:"missing"` // module to why
	Failure string            `json:"failure"` // what the proxy did wrong, "" nothing
}

// check starts a container of the image and asks it for its Python and for the modules of a worker.
func check(ctx context.Context, e *engine.Engine, id string, spec entity.ImageBuild) (found, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, timeToCheck)
	defer cancel()
	var f found
	var err error
	if spec.Trial != nil {
		f, err = tryJob(ctx, e, id, spec)
	} else {
		f, err = probeImage(ctx, e, id, modules(spec))
	}
	switch {
	case outer.Err() != nil:
		return f, outer.Err()
	case ctx.Err() != nil && spec.Trial != nil:
		return f, unfit(i18n.M("its job did not finish within {{.Time}}", "Time", timeToCheck))
	case ctx.Err() != nil:
		return f, unfit(i18n.M("the action proxy did not respond within {{.Time}}", "Time", timeToCheck))
	case err != nil:
		return f, err
	case f.Failure != "":
		return f, unfit(i18n.M("{{.Failure}}", "Failure", sentence(f.Failure)))
	case spec.Python != "" && f.Python != spec.Python:
		return f, fault.New(fault.Failed,
			i18n.M("The image {{.Image}} uses Python {{.Found}}, but the Lithops client uses {{.Wanted}}.", "Image", spec.Image, "Found", f.Python, "Wanted", spec.Python),
			i18n.M("Build on a base image with Python {{.Wanted}}, or push the image anyway with '--no-check'.", "Wanted", spec.Python))
	case len(f.Missing) > 0:
		return f, missing(spec.Image, f.Missing)
	}
	return f, nil
}

func modules(spec entity.ImageBuild) []string {
	if spec.Modules == nil {
		return []string{}
	}
	return spec.Modules
}

func missing(image string, why map[string]string) error {
	names := make([]string, 0, len(why))
	for name := range why {
		names = append(names, sentence(name))
	}
	sort.Strings(names)
	f := fault.New(fault.Failed,
		i18n.M("The image {{.Image}} lacks modules that Lithops workers import: {{.Modules}}.", "Image", image, "Modules", strings.Join(names, ", ")),
		i18n.M("Add the packages of these modules to the image, as in the requirements.txt from 'ibmcloud fn-runtime init', or push the image anyway with '--no-check'."))
	for _, name := range names {
		f.With(name + ": " + sentence(why[name]))
	}
	return f
}

func unfit(why i18n.Message) *fault.Fault {
	return fault.New(fault.Failed,
		i18n.M("The image cannot be used as a runtime: {{.Why}}.", "Why", why),
		i18n.M("Compare its Dockerfile with the one from 'ibmcloud fn-runtime init', or push it anyway with '--no-check'."))
}

// probeImage runs the probe in a container that is removed whatever happens.
func probeImage(ctx context.Context, e *engine.Engine, id string, modules []string) (f found, err error) {
	sweep(ctx, e)
	pids := int64(256)
	made, err := e.ContainerCreate(ctx, &container.Config{Image: id, Labels: map[string]string{checkLabel: "1"}},
		&container.HostConfig{NetworkMode: "none", Resources: container.Resources{PidsLimit: &pids}}, "fn-runtime-check-"+strings.ToLower(rand.Text()[:12]))
	if err != nil {
		if strings.Contains(strings.ToLower(err.Error()), "no command") { // Docker's "No command specified", podman's "no command or entrypoint provided"
			return f, unfit(i18n.M("it has neither an ENTRYPOINT nor a CMD")).Because(err)
		}
		return f, engineFault(ctx, e, err)
	}
	defer remove(ctx, e, made.ID)
	if err := e.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		if refusal(err) {
			return f, unfit(i18n.M("it does not start")).With(sentence(err.Error()))
		}
		return f, engineFault(ctx, e, err)
	}
	answer, err := execute(ctx, e, made.ID, modules)
	if err == nil {
		err = json.Unmarshal([]byte(lastLine(answer)), &f)
	}
	if err == nil || ctx.Err() != nil {
		return f, ctx.Err()
	}
	if code, over := ended(ctx, e, made.ID); over {
		return f, unfit(i18n.M("its program exits with code {{.Code}}", "Code", code)).With(logs(ctx, e, made.ID)...).Because(err)
	}
	if _, gone := e.Ping(ctx); gone != nil {
		return f, engineFault(ctx, e, err)
	}
	return f, unfit(i18n.M("it cannot run Python")).With(sentence(answer)).With(logs(ctx, e, made.ID)...).Because(err)
}

// timeToEnd is how long the engine may take to notice that a program has ended.
const timeToEnd = 2 * time.Second

// ended reports whether the container's program has ended, and its exit code. The probe is cut off at that moment, before
// the engine knows of it: it is given time, so that the cause does not depend on who was faster.
func ended(ctx context.Context, e *engine.Engine, id string) (code int64, over bool) {
	ctx, cancel := context.WithTimeout(ctx, timeToEnd)
	defer cancel()
	wait, failed := e.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case end := <-wait:
		return end.StatusCode, end.Error == nil
	case <-failed: //nolint:errcheck // whatever it is, the end is not known
		return 0, false
	}
}

// execute runs the probe with whatever Python 3 is on the container's PATH and gives its output.
func execute(ctx context.Context, e *engine.Engine, id string, modules []string) (string, error) {
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
	defer context.AfterFunc(ctx, stream.Close)() // a hijacked connection does not know ctx
	var out, errs bytes.Buffer
	if _, err := stdcopy.StdCopy(&limited{&out, 1 << 20}, &limited{&errs, 64 << 10}, stream.Reader); err != nil {
		return "", err
	}
	if out.Len() == 0 {
		return errs.String(), errors.New("the probe reported nothing")
	}
	return out.String(), nil
}

// limited keeps the first bytes and swallows the rest.
type limited struct {
	w    *bytes.Buffer
	room int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := min(l.room, len(p))
	l.room -= keep
	l.w.Write(p[:keep])
	return len(p), nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// logs returns the last lines that the container's program wrote.
func logs(ctx context.Context, e *engine.Engine, id string) []string {
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

// remove ends a container also when ctx is over.
func remove(ctx context.Context, e *engine.Engine, id string) {
	ctx, cancel := grace.Context(ctx, timeToCleanUp)
	defer cancel()
	_ = e.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
}

// sweep removes containers of checks that were killed. Younger ones may belong to a check that runs now.
func sweep(ctx context.Context, e *engine.Engine) {
	list, err := e.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", checkLabel))})
	if err != nil {
		return
	}
	for _, c := range list {
		if time.Since(time.Unix(c.Created, 0)) > 2*timeToCheck {
			remove(ctx, e, c.ID)
		}
	}
}
