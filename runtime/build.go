package runtime

import (
	"cmp"
	"context"
	"io"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/skeleton"
	"fn-runtime/runtime/lithops"
)

// Build builds an image, verifies that it can run a Lithops worker, and pushes it. The output of the build is written
// to progress; Images reports the steps.
func (s *Service) Build(ctx context.Context, req BuildRequest, progress io.Writer) (entity.ImageBuilt, error) {
	if req.Image == DefaultName || req.Image == AllName {
		return entity.ImageBuilt{}, fault.New(fault.Usage, i18n.M("'{{.Name}}' is not an image name.", "Name", req.Image),
			i18n.M("Specify a name such as USER/NAME:TAG."))
	}
	image, err := s.Image(req.Image, "")
	if err != nil {
		return entity.ImageBuilt{}, err
	}
	built, err := s.Images.Build(ctx, s.imageBuild(image, req), progress)
	built.Image = image
	return built, err
}

// imageBuild returns the full description of a build for an image as the client names it.
func (s *Service) imageBuild(image string, req BuildRequest) entity.ImageBuild {
	build := entity.ImageBuild{
		Image: image, Context: cmp.Or(req.Context, "."), Dockerfile: req.Dockerfile, Args: req.Args, Platform: cmp.Or(req.Platform, entity.DefaultPlatform),
		Pull: req.Pull, NoCache: req.NoCache, Target: req.Target, Labels: req.Labels, CacheFrom: req.CacheFrom,
		Network: req.Network, Secrets: req.Secrets, SSH: req.SSH, Push: !req.NoPush, Pin: req.Pin && !req.NoPush, Check: !req.NoCheck, Python: s.Install.Python,
	}
	if build.Check {
		build.Modules = lithops.RequiredModules(s.Install.Version, s.Storage.Backend)
	}
	if s.Contract.Backend == lithops.CodeEngine {
		build.ExtraFile = &entity.BuildFile{Name: lithops.ImageArchive, Make: func(ctx context.Context) ([]byte, error) {
			return lithops.BuildImageArchive(ctx, s.Install)
		}}
		build.Trial = lithops.NewTrial(s.Install)
	}
	return build
}

// Init writes a skeleton of an image and returns the paths of its files. The default Python version is the client's.
func (s *Service) Init(_ context.Context, req InitRequest) ([]string, error) {
	return skeleton.Write(cmp.Or(req.Dir, "."), skeleton.Options{Python: cmp.Or(req.Python, s.Install.Python), Conda: req.Conda, Force: req.Force,
		Jobs: s.Target.Backend == string(lithops.CodeEngine), Code: req.InImage, Program: req.Program})
}
