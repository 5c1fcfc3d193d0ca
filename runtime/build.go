package runtime

import (
	"context"
	"io"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/skeleton"
	"fn-runtime/runtime/lithops"
)

// Build builds an image, checks that a Lithops worker can run in it, and pushes it. The lines of the build go to
// progress; Images reports the steps.
func (s *Service) Build(ctx context.Context, req BuildRequest, progress io.Writer) (entity.ImageBuilt, error) {
	if req.Image == DefaultName || req.Image == AllName {
		return entity.ImageBuilt{}, fault.New(fault.Usage, i18n.M("'{{.Name}}' names no image to build.", "Name", req.Image),
			i18n.M("Give a name such as USER/NAME:TAG."))
	}
	build, err := s.imageBuild(req)
	if err != nil {
		return entity.ImageBuilt{}, err
	}
	built, err := s.Images.Build(ctx, build, progress)
	built.Image = build.Image
	return built, err
}

// imageBuild completes a request.
func (s *Service) imageBuild(req BuildRequest) (entity.ImageBuild, error) {
	image, err := s.image(req.Image, "")
	if err != nil {
		return entity.ImageBuild{}, err
	}
	build := entity.ImageBuild{
		Image: image, Context: req.Context, Dockerfile: req.Dockerfile, Args: req.Args, Platform: req.Platform,
		Pull: req.Pull, NoCache: req.NoCache, Target: req.Target, Labels: req.Labels, CacheFrom: req.CacheFrom,
		Network: req.Network, Secrets: req.Secrets, SSH: req.SSH, Push: !req.NoPush, Check: !req.NoCheck, Python: s.Install.Python,
	}
	if build.Context == "" {
		build.Context = "."
	}
	if build.Platform == "" {
		build.Platform = entity.DefaultPlatform
	}
	if build.Check {
		build.Modules = lithops.RequiredModules(s.Install.Version, s.Storage.Backend)
	}
	return build, nil
}

// Init writes a skeleton ready to build and gives the paths of its files. Without a Python it is the client's.
func (s *Service) Init(_ context.Context, req InitRequest) ([]string, error) {
	python := req.Python
	if python == "" {
		python = s.Install.Python
	}
	dir := req.Dir
	if dir == "" {
		dir = "."
	}
	return skeleton.Write(dir, skeleton.Options{Python: python, Conda: req.Conda, Force: req.Force})
}
