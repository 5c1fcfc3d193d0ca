package runtime

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// JobRequest says what a job of the Lithops client is to find.
type JobRequest struct {
	Runtime  string // "default" or an image reference; "" the configured one
	MemoryMB int    // 0: the configured memory
	Deploy   bool   // where the runtime is missing or outdated
	Own      bool   // the job runs in the Python of the Lithops that was found
	Program  string // how this program is called, for comments
}

// deployment is the runtime that the job will ask for.
func (s *Service) deployment(req JobRequest) DeployRequest {
	d := DeployRequest{Name: cmp.Or(req.Runtime, s.Settings.Runtime, DefaultName)}
	if req.MemoryMB != 0 {
		d.MemoryMB = []int{req.MemoryMB}
	}
	return d
}

// PrepareJob sees to it that the runtime of a job is there before the job waits for it. One that is missing is deployed
// where the request wants that, else a fault.NotFound. One that is outdated is used, with a note.
func (s *Service) PrepareJob(ctx context.Context, req JobRequest) (Result, error) {
	d := s.deployment(req)
	if req.Own {
		if err := s.Install.CheckModules(ctx, s.Contract.Backend, s.Storage.Backend, s.Target.HostPython); err != nil {
			return Result{}, err
		}
	}
	wants, err := s.wants(d)
	if err != nil {
		return Result{}, err
	}
	if req.Deploy {
		return s.deployAs(ctx, wants, d)
	}
	d.DryRun = true
	end := s.Begin(i18n.M("Checking runtime {{.Image}} in {{.Place}}", "Image", wants[0].Image, "Place", s.Scope()))
	r, err := s.deploy(ctx, wants, d)
	if err == nil {
		err = s.usable(r, "deploy "+d.Name+d.memory())
	}
	end(err)
	return r, err
}

// memory is the flag that asks for what the request asks for.
func (d DeployRequest) memory() string {
	if len(d.MemoryMB) == 0 {
		return ""
	}
	return " -m " + strings.Trim(strings.ReplaceAll(fmt.Sprint(d.MemoryMB), " ", ","), "[]")
}

// usable looks in the plan of a deployment for a runtime that is missing or outdated; command deploys it.
func (s *Service) usable(r Result, command string) error {
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

// JobConfig returns the whole configuration of a job, with its secrets.
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
