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

// runTrialJob runs a job in a container, reads the metadata that the job writes, and always removes the container.
func runTrialJob(ctx context.Context, e *engine.Engine, id string, spec entity.ImageBuild) (f checkResult, err error) {
	removeStale(ctx, e)
	files, err := spec.Trial.Files(ctx)
	if err != nil {
		return f, err
	}
	pids := int64(256)
	created, err := e.ContainerCreate(ctx, &container.Config{Image: id, Labels: map[string]string{checkLabel: "1"}, Env: spec.Trial.Env,
		Entrypoint: spec.Trial.Command[:1], Cmd: spec.Trial.Command[1:]},
		&container.HostConfig{NetworkMode: "none", Resources: container.Resources{PidsLimit: &pids}}, "")
	if err != nil {
		return f, engineFault(ctx, e, err)
	}
	defer removeContainer(ctx, e, created.ID)
	if err := e.CopyToContainer(ctx, created.ID, "/", tarArchive(files), container.CopyToContainerOptions{}); err != nil {
		return f, engineFault(ctx, e, err)
	}
	if err := e.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		if rejected(err) {
			return f, unusableImage(i18n.M("it does not start")).With(inline(err.Error()))
		}
		return f, engineFault(ctx, e, err)
	}
	wait, failed := e.ContainerWait(ctx, created.ID, container.WaitConditionNotRunning)
	var code int64
	select {
	case end := <-wait:
		code = end.StatusCode
	case err := <-failed:
		return f, engineFault(ctx, e, err)
	}
	if code != 0 {
		return f, jobFault(spec.Image, code, containerLogs(ctx, e, created.ID))
	}
	data, err := readResult(ctx, e, created.ID, spec.Trial.Result)
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
	f = checkResult{Python: metadata.PythonVersion, Missing: map[string]string{}}
	has := metadata.Modules()
	for _, name := range modules(spec) {
		if !slices.Contains(has, name) {
			f.Missing[name] = "ModuleNotFoundError"
		}
	}
	return f, nil
}

var noModule = text.NewPattern(`^ModuleNotFoundError: No module named '([\w.]{1,100})'$`)

// jobFault returns the fault for a job that ended with an exit code.
func jobFault(image string, code int64, lines []string) error {
	for _, line := range lines {
		if m := noModule.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			return missingModules(image, map[string]string{m[1]: "ModuleNotFoundError"})
		}
	}
	return unusableImage(i18n.M("its program exits with code {{.Code}}", "Code", code)).With(lines...)
}

// tarArchive creates an archive of files, each preceded by its directory.
func tarArchive(files map[string][]byte) io.Reader {
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) { // writing to a buffer cannot fail
		_ = t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(path.Dir(name), "/") + "/", Mode: 0o755})
		_ = t.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o644, Size: int64(len(files[name]))})
		_, _ = t.Write(files[name])
	}
	_ = t.Close()
	return &out
}

// maxResult limits the result file of a job, in bytes.
const maxResult = 1 << 20

// readResult reads a file of a stopped container.
func readResult(ctx context.Context, e *engine.Engine, id, file string) ([]byte, error) {
	r, _, err := e.CopyFromContainer(ctx, id, file)
	if err != nil {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return nil, ctxErr
		}
		return nil, unusableImage(i18n.M("its job wrote no metadata")).With(containerLogs(ctx, e, id)...).Because(err)
	}
	defer r.Close()
	t := tar.NewReader(r)
	if _, err := t.Next(); err != nil {
		return nil, engineFault(ctx, e, err)
	}
	data, err := io.ReadAll(io.LimitReader(t, maxResult))
	if err != nil {
		return nil, engineFault(ctx, e, err)
	}
	return data, nil
}
