package runtime

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// JobRequest describes the environment of a Lithops job.
type JobRequest struct {
	Runtime        string // "default" or an image reference; "" selects the configured runtime
	MemoryMB       int    // 0: the configured memory
	Deploy         bool   // deploy the runtime if it is missing or outdated
	DetectedPython bool   // the job runs in the Python environment of the detected Lithops
	Program        string // name of this program in comments
}

// deployRequest returns the request that deploys the runtime of the job.
func (s *Service) deployRequest(req JobRequest) DeployRequest {
	d := DeployRequest{Name: cmp.Or(req.Runtime, s.Settings.Runtime, DefaultName)}
	if req.MemoryMB != 0 {
		d.MemoryMB = []int{req.MemoryMB}
	}
	return d
}

// PrepareJob checks before the start of a job that its runtime exists, because the job would wait for a missing
// runtime. It deploys a missing runtime if Deploy is set, and returns a fault.NotFound error otherwise. An outdated
// runtime causes only a warning.
func (s *Service) PrepareJob(ctx context.Context, req JobRequest) (Result, error) {
	d := s.deployRequest(req)
	if req.DetectedPython {
		if err := s.Install.CheckModules(ctx, s.Contract.Backend, s.Storage.Backend, s.Target.HostPython); err != nil {
			return Result{}, err
		}
	}
	wants, err := s.wantedRuntimes(d)
	if err != nil {
		return Result{}, err
	}
	if req.Deploy {
		return s.deployWanted(ctx, wants, d)
	}
	d.DryRun = true
	end := s.Begin(i18n.M("Checking runtime {{.Image}} in {{.Place}}", "Image", wants[0].Image, "Place", s.Scope()))
	r, err := s.deploy(ctx, wants, d)
	if err == nil {
		err = s.checkDeployed(r, "deploy "+d.Name+d.memoryFlag())
	}
	end(err)
	return r, err
}

// memoryFlag returns the command-line flag for the memory sizes of the request.
func (d DeployRequest) memoryFlag() string {
	if len(d.MemoryMB) == 0 {
		return ""
	}
	return " -m " + strings.Trim(strings.ReplaceAll(fmt.Sprint(d.MemoryMB), " ", ","), "[]")
}

// checkDeployed returns an error if the planned deployment creates a runtime, and warns if it updates one. command
// deploys the runtime.
func (s *Service) checkDeployed(r Result, command string) error {
	for _, it := range r.Items {
		switch {
		case it.Kind != KindRuntime:
		case it.Change == Create:
			return fault.New(fault.NotFound, i18n.M("Runtime {{.Image}} is not deployed with {{.Memory}} MB for Lithops {{.Version}}.",
				"Image", it.Image, "Memory", it.Memory, "Version", s.Install.Version),
				i18n.M("Deploy it with 'ibmcloud fn-runtime {{.Command}}', or pass '--deploy'.", "Command", command))
		case it.Change == Update:
			s.Warn(i18n.M("Runtime {{.Image}} is outdated: {{.Reason}} Update it with 'ibmcloud fn-runtime {{.Command}}'.",
				"Image", it.Image, "Reason", it.Reason, "Command", command))
		}
	}
	return nil
}

// JobConfig returns the complete configuration of a job, including secrets.
func (s *Service) JobConfig(req JobRequest) ([]byte, error) {
	doc, err := s.configuration()
	if err != nil {
		return nil, err
	}
	section := string(s.Contract.Backend)
	switch req.Runtime {
	case "":
	case DefaultName:
		doc.Delete(section, "runtime")
	default:
		doc.Set(section, "runtime", req.Runtime)
	}
	doc.Set(section, "runtime_memory", int64(req.MemoryMB))
	return doc.Text(s.Target.Endpoint + ", for one job of '" + req.Program + " run'.")
}
