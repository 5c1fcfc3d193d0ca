package images

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

// tryJob runs a job in a container that is removed whatever happens, and reads the metadata that it leaves.
func tryJob(ctx context.Context, e *engine.Engine, id string, spec entity.ImageBuild) (f found, err error) {
	sweep(ctx, e)
	files, err := spec.Trial.Files(ctx)
	if err != nil {
		return f, err
	}
	pids := int64(256)
	made, err := e.ContainerCreate(ctx, &container.Config{Image: id, Labels: map[string]string{checkLabel: "1"}, Env: spec.Trial.Env,
		Entrypoint: spec.Trial.Command[:1], Cmd: spec.Trial.Command[1:]},
		&container.HostConfig{NetworkMode: "none", Resources: container.Resources{PidsLimit: &pids}}, "")
	if err != nil {
		return f, engineFault(ctx, e, err)
	}
	defer remove(ctx, e, made.ID)
	if err := e.CopyToContainer(ctx, made.ID, "/", packed(files), container.CopyToContainerOptions{}); err != nil {
		return f, engineFault(ctx, e, err)
	}
	if err := e.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		if refusal(err) {
			return f, unfit(i18n.M("it does not start")).With(sentence(err.Error()))
		}
		return f, engineFault(ctx, e, err)
	}
	wait, failed := e.ContainerWait(ctx, made.ID, container.WaitConditionNotRunning)
	var code int64
	select {
	case end := <-wait:
		code = end.StatusCode
	case err := <-failed:
		return f, engineFault(ctx, e, err)
	}
	if code != 0 {
		return f, jobFailed(spec.Image, code, logs(ctx, e, made.ID))
	}
	data, err := left(ctx, e, made.ID, spec.Trial.Result)
	if err != nil {
		return f, err
	}
	metadata, err := lithops.ParseMetadata(data)
	if err != nil {
		return f, err
	}
	if metadata.LithopsVersion != spec.Trial.Lithops {
		return f, fault.New(fault.Failed,
			i18n.M("The image {{.Image}} contains Lithops {{.Found}}, but the client is Lithops {{.Wanted}}.", "Image", spec.Image, "Found", metadata.LithopsVersion, "Wanted", spec.Trial.Lithops),
			i18n.M("Rebuild it without the layer cache ('--no-cache'), or push it anyway with '--no-check'."))
	}
	f = found{Python: metadata.PythonVersion, Missing: map[string]string{}}
	has := metadata.Modules()
	for _, name := range modules(spec) {
		if !slices.Contains(has, name) {
			f.Missing[name] = "ModuleNotFoundError"
		}
	}
	return f, nil
}

var noModule = text.NewPattern(`^ModuleNotFoundError: No module named '([\w.]{1,100})'$`)

// jobFailed tells why a job ended with an exit code.
func jobFailed(image string, code int64, lines []string) error {
	for _, line := range lines {
		if m := noModule.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			return missing(image, map[string]string{m[1]: "ModuleNotFoundError"})
		}
	}
	return unfit(i18n.M("its program exits with code {{.Code}}", "Code", code)).With(lines...)
}

// packed makes an archive of files, each after the folder that it is in.
func packed(files map[string][]byte) io.Reader {
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) { // into a buffer nothing fails
		_ = t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(path.Dir(name), "/") + "/", Mode: 0o755})
		_ = t.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o644, Size: int64(len(files[name]))})
		_, _ = t.Write(files[name])
	}
	_ = t.Close()
	return &out
}

// maxLeft is the most that is read of what a job left, in bytes.
const maxLeft = 1 << 20

// left reads a file of a container that has ended.
func left(ctx context.Context, e *engine.Engine, id, file string) ([]byte, error) {
	r, _, err := e.CopyFromContainer(ctx, id, file)
	if err != nil {
		if gone := ctx.Err(); gone != nil {
			return nil, gone
		}
		return nil, unfit(i18n.M("its job wrote no metadata")).With(logs(ctx, e, id)...).Because(err)
	}
	defer r.Close()
	t := tar.NewReader(r)
	if _, err := t.Next(); err != nil {
		return nil, engineFault(ctx, e, err)
	}
	data, err := io.ReadAll(io.LimitReader(t, maxLeft))
	if err != nil {
		return nil, engineFault(ctx, e, err)
	}
	return data, nil
}
