package runtime

import (
	"context"
	"io"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

func unfinished() error {
	return fault.New(fault.Internal, i18n.M("The operation is not implemented."), i18n.Message{})
}

// Deploy registers one runtime in one or several memory sizes: action first, metadata last.
func (s *Service) Deploy(ctx context.Context, req DeployRequest) (Result, error) {
	return Result{}, unfinished()
}

// Update brings deployed runtimes of the client's Lithops version to the client's Lithops code.
func (s *Service) Update(ctx context.Context, req UpdateRequest) (Result, error) {
	return Result{}, unfinished()
}

// Delete removes runtimes: metadata first, the action last.
func (s *Service) Delete(ctx context.Context, req DeleteRequest) (Result, error) {
	return Result{}, unfinished()
}

// List gives every deployed runtime, sorted by image, memory and Lithops version.
func (s *Service) List(ctx context.Context, req ListRequest) ([]Runtime, error) {
	return nil, unfinished()
}

// Show gives one runtime in full, an entry for each memory size and Lithops version.
func (s *Service) Show(ctx context.Context, req ShowRequest) ([]Detail, error) {
	return nil, unfinished()
}

// Invoke calls a runtime as the client does and measures it.
func (s *Service) Invoke(ctx context.Context, req InvokeRequest) ([]Invocation, error) {
	return nil, unfinished()
}

// Clean removes what Lithops keeps in the namespace, the bucket and on this machine; never a configuration.
func (s *Service) Clean(ctx context.Context, req CleanRequest) (Result, error) {
	return Result{}, unfinished()
}

// LithopsConfig gives the YAML that makes the client use the service's target.
func (s *Service) LithopsConfig(ctx context.Context, req ConfigRequest) ([]byte, error) {
	return nil, unfinished()
}

// Doctor checks every precondition; with repair it mends what is the plug-in's own.
func (s *Service) Doctor(ctx context.Context, repair bool) ([]Check, error) {
	return nil, unfinished()
}

// Build builds, checks and pushes an image. The lines of the build go to progress.
func (s *Service) Build(ctx context.Context, req BuildRequest, progress io.Writer) (entity.ImageBuilt, error) {
	return entity.ImageBuilt{}, unfinished()
}

// Init writes a skeleton ready to build and gives the paths written.
func (s *Service) Init(ctx context.Context, req InitRequest) ([]string, error) {
	return nil, unfinished()
}
