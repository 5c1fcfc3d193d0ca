package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/local/invoke"
	"fn-runtime/runtime/local/invoker"
	"fn-runtime/test/harness"
)

// measureImages compares images of our skeleton with images that follow Lithops' instructions, on the same base. It
// also compares builds with those of the Docker CLI. It needs the services that bin/test-engine starts.
func measureImages(ctx context.Context, b *bench) ([]row, error) {
	engine, err := harness.StartEngine()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "fn-runtime-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	s := &imageStage{bench: b, engine: engine, home: home,
		ours: engine.Registry + "/lithops/bench-ours:1", theirs: engine.Registry + "/lithops/bench-theirs:1"}
	if err := s.make(ctx); err != nil {
		return nil, err
	}
	rows, err := s.cold(ctx)
	if err != nil {
		return nil, err
	}
	built, err := s.builds(ctx)
	return append(rows, built...), err
}

// imageStage is a home with a login to the registry, and two images.
type imageStage struct {
	*bench
	engine       harness.Engine
	home         string
	client       string // virtual environment with Lithops
	ours, theirs string
	removals     []string // containers of the measurement to remove later
}

func (s *imageStage) env() []string {
	return []string{"HOME=" + s.home, "IBMCLOUD_HOME=" + s.home, "VIRTUAL_ENV=" + s.client}
}

func (s *imageStage) skeletonDir() string { return filepath.Join(s.home, "skeleton") }

// run runs a program in the stage's home and returns its output.
func (s *imageStage) run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stdin = append(os.Environ(), s.env()...), strings.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), args[0], err, tail(out), tail(errs.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

func (s *imageStage) make(ctx context.Context) error {
	base := "BASE=" + s.engine.Base
	venv := filepath.Join(s.cache, "venv-bench-images") // virtual environment for the images' Python
	if _, err := os.Stat(filepath.Join(venv, ".ready")); err != nil {
		python, ok := harness.FindPython("3.11")
		if !ok {
			return errors.New("no Python 3.11 is installed")
		}
		for _, args := range [][]string{{python, "-m", "venv", "--clear", venv}, {filepath.Join(venv, "bin", "python"), "-m", "pip", "install", "-q", "lithops", "boto3"}} {
			if _, err := s.run(ctx, "", args[0], args[1:]...); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(venv, ".ready"), nil, 0o644); err != nil {
			return err
		}
	}
	s.client = venv
	for _, step := range [][]string{
		{s.bin, "init", s.skeletonDir(), "--python", "3.11"},
		{s.bin, "build", s.ours, s.skeletonDir(), "--build-arg", base, "--no-push", "--no-check", "-q"},
		{"docker", "build", "-q", "-t", s.theirs, "--build-arg", base, filepath.Join(s.root, "test", "e2e", "testdata", "lithops-image")},
	} {
		if _, err := s.run(ctx, "", step[0], step[1:]...); err != nil {
			return err
		}
	}
	_, err := s.run(ctx, s.engine.Password, "docker", "login", "-u", s.engine.User, "--password-stdin", s.engine.Registry)
	return err
}

// layers returns the bytes that an image adds to the base.
func (s *imageStage) layers(ctx context.Context, image string) (int64, error) {
	var sizes [2]int64
	for i, name := range []string{image, s.engine.Base} {
		out, err := s.run(ctx, "", "docker", "image", "inspect", "-f", "{{.Size}}", name)
		if err != nil {
			return 0, err
		}
		if sizes[i], err = strconv.ParseInt(out, 10, 64); err != nil {
			return 0, err
		}
	}
	return sizes[0] - sizes[1], nil
}

// cold measures the time until the first result: create and start the container, wait for its proxy, /init, /run. Both
// images go through the local endpoint's own invoker.
func (s *imageStage) cold(ctx context.Context) ([]row, error) {
	install, err := lithops.Find(ctx, lithops.FindOptions{Python: filepath.Join(s.client, "bin", "python"), Getenv: os.Getenv, Home: s.home, WorkDir: s.home})
	if err != nil {
		return nil, err
	}
	bundle, err := lithops.BuildBundle(ctx, install, lithops.OpenWhisk)
	if err != nil {
		return nil, err
	}
	note, err := s.sizes(ctx)
	if err != nil {
		return nil, err
	}
	alone, err := s.engineAlone(ctx)
	for _, id := range s.removals {
		if _, gone := s.run(context.WithoutCancel(ctx), "", "docker", "rm", "-f", id); gone != nil {
			err = errors.Join(err, gone)
		}
	}
	if err != nil {
		return nil, err
	}
	note += fmt.Sprintf("; the engine alone takes %s on both sides", round(alone))
	small := invoke.Invocation{Code: func() (string, error) { return "def main(args): return {'n': 1}", nil }, Args: json.RawMessage(`{}`)}
	whole := invoke.Invocation{Code: func() (string, error) { return bundle.Base64, nil }, Binary: true,
		Args: json.RawMessage(`{"log_level": 20, "get_metadata": true}`)}
	var rows []row
	for _, it := range []struct {
		work string
		inv  invoke.Invocation
		note string
	}{{"container: cold start, smallest action", small, note}, {"container: cold start, Lithops' metadata call", whole, ""}} {
		ours, theirs, err := s.coldStarts(ctx, it.inv)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{Work: it.work, Ours: ours, Theirs: theirs, Who: "Lithops' requirements and Flask/gevent proxy, same base", Note: it.note})
	}
	return rows, nil
}

func (s *imageStage) sizes(ctx context.Context) (string, error) {
	ours, err := s.layers(ctx, s.ours)
	if err != nil {
		return "", err
	}
	theirs, err := s.layers(ctx, s.theirs)
	return fmt.Sprintf("own layers %.1f MB, theirs %.1f MB", float64(ours)/1e6, float64(theirs)/1e6), err
}

// coldStarts starts ours and theirs alternately, so that other load on the machine affects both, and returns the
// medians.
func (s *imageStage) coldStarts(ctx context.Context, inv invoke.Invocation) (ours, theirs time.Duration, err error) {
	v, err := invoker.New(ctx, invoker.Options{Kind: invoker.Docker, Dir: filepath.Join(s.home, "workers")})
	if err != nil {
		return 0, 0, err
	}
	defer v.Close(context.WithoutCancel(ctx)) // the next run removes the remaining containers
	inv.ActivationID, inv.Namespace, inv.Action, inv.Version = strings.Repeat("0", 32), "guest", "bench", "0.0.1"
	inv.MemoryMB, inv.TimeoutMS = 512, 60000
	took := map[string][]time.Duration{}
	for run := range min(s.runs, 9) {
		for _, image := range []string{s.ours, s.theirs} {
			inv.Image, inv.Revision = image, fmt.Sprint(image, run) // a separate revision gets a separate container
			start := time.Now()
			out, err := v.Run(ctx, inv)
			if err == nil && (out.Status != invoke.Success || !out.Cold) {
				err = fmt.Errorf("%s: %s %s\n%s", image, out.Status, out.Result, strings.Join(out.Logs, "\n"))
			}
			if err != nil {
				return 0, 0, err
			}
			took[image] = append(took[image], time.Since(start))
			s.logf("%s: %d ms to start, %d ms init, %d ms run", image, out.WaitMS, out.InitMS, out.RunMS)
		}
	}
	for _, list := range took {
		slices.Sort(list)
	}
	medianRun := len(took[s.ours]) / 2
	return took[s.ours][medianRun], took[s.theirs][medianRun], nil
}

// engineAlone returns the time that the engine needs to create and start an idle container. No image can reduce this
// part of both sides.
func (s *imageStage) engineAlone(ctx context.Context) (time.Duration, error) {
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return 0, err
	}
	defer api.Close()
	return median(ctx, min(s.runs, 9), func(ctx context.Context) error {
		made, err := api.ContainerCreate(ctx, &container.Config{Image: s.ours, Entrypoint: []string{"sleep", "60"}}, nil, nil, nil, "")
		if err != nil {
			return err
		}
		s.removals = append(s.removals, made.ID) // removed later, so that the removal is not measured
		return api.ContainerStart(ctx, made.ID, container.StartOptions{})
	})
}

// builds measures a build that changes nothing, with push, compared with the same build by the Docker CLI, for each
// builder of the CLI.
func (s *imageStage) builds(ctx context.Context) ([]row, error) {
	base := "BASE=" + s.engine.Base
	builders := []struct{ name, value string }{{"classic builder", "0"}}
	if _, err := s.run(ctx, "", "docker", "buildx", "version"); err == nil {
		builders = append(builders, struct{ name, value string }{"BuildKit", "1"})
	} else {
		s.logf("the Docker CLI has no buildx, so BuildKit is not compared")
	}
	var rows []row
	for _, it := range builders {
		env := append(s.env(), "DOCKER_BUILDKIT="+it.value)
		ours := command(env, s.bin, "build", s.ours, s.skeletonDir(), "--build-arg", base)
		build := command(env, "docker", "build", "-t", s.ours, "--build-arg", base, s.skeletonDir())
		push := command(env, "docker", "push", s.ours)
		theirs := func(ctx context.Context) error {
			if err := build(ctx); err != nil {
				return err
			}
			return push(ctx)
		}
		r := row{Work: "build and push, nothing changed (" + it.name + ")", Who: "docker build && docker push", Note: "ours also checks the image and caches the result"}
		for _, side := range []struct {
			work func(context.Context) error
			into *time.Duration
		}{{ours, &r.Ours}, {theirs, &r.Theirs}} {
			err := side.work(ctx) // fills the caches
			if err == nil {
				*side.into, err = median(ctx, min(s.runs, 11), side.work)
			}
			if err != nil {
				return nil, err
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}
