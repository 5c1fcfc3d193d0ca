package codeengine

import (
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

var exitCode = text.NewPattern(`^ContainerExitedCode([0-9]{1,3})$`)

// cause says why a run did not give its metadata, and what to do. The service gives one word, and no log.
func cause(run runDoc) error {
	reason := text.Line(run.reason(), 200)
	is := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(strings.ToLower(reason), w) {
				return true
			}
		}
		return false
	}
	image := run.Image
	failed := func(reason, recovery i18n.Message) error { return fault.New(fault.Failed, reason, recovery) }
	switch m := exitCode.FindStringSubmatch(reason); {
	case is("oomkilled", "outofmemory"):
		scale, _ := lithops.ParseScale(run.CPU, run.Memory)
		mb := scale.MemoryMB
		return failed(i18n.M("Runtime {{.Image}} needs more than {{.Memory}} MB of memory to start.", "Image", image, "Memory", mb),
			i18n.M("Deploy it with more memory: 'ibmcloud fn-runtime deploy {{.Image}} --memory {{.More}}'.", "Image", image, "More", 2*mb))
	case is("ephemeralstorage"):
		return failed(i18n.M("Runtime {{.Image}} writes more to its disk than Code Engine gives to a job.", "Image", image),
			i18n.M("Take what it writes when it starts out of the image, or give it a folder in memory."))
	case is("imagepull", "errimage", "invalidimage", "pullimage", "fetchimage", "fetchingimage"):
		return failed(i18n.M("Code Engine cannot pull the image {{.Image}}: {{.Reason}}.", "Image", image, "Reason", reason), pullRemedy())
	case is("mount", "configmap", "config_map", "createcontainerconfig"):
		return failed(i18n.M("Code Engine cannot give the Lithops code to {{.Image}}: {{.Reason}}.", "Image", image, "Reason", reason), insideRemedy())
	case is("deadline", "timeout", "timedout"):
		return failed(i18n.M("Runtime {{.Image}} did not give its metadata within its time limit.", "Image", image),
			i18n.M("Deploy it with a longer timeout."))
	case m != nil && (m[1] == "127" || m[1] == "126" || m[1] == "128"):
		return failed(i18n.M("Runtime {{.Image}} has no Python at {{.Path}}, where Lithops looks for it.", "Image", image, "Path", lithops.JobPython),
			i18n.M("Put a link there in the image, or begin with another image: 'ibmcloud fn-runtime init --backend code_engine' writes a Dockerfile."))
	case m != nil:
		return failed(i18n.M("Runtime {{.Image}} ended with exit code {{.Code}} before it gave its metadata.", "Image", image, "Code", m[1]), exitRemedy(run))
	case reason != "":
		return failed(i18n.M("Runtime {{.Image}} does not start: {{.Error}}.", "Image", image, "Error", strings.TrimRight(reason, ".")), exitRemedy(run))
	case run.pending():
		return fault.New(fault.Timeout, i18n.M("The job run of {{.Image}} did not begin: its image could not be pulled in that time, its code could not be mounted, or a quota of the project is used up.", "Image", image),
			i18n.M("Check the image; see the quotas with 'ibmcloud fn-runtime doctor'; '--code image' does without a mount."))
	case run.Status != "failed":
		return fault.New(fault.Timeout, i18n.M("Runtime {{.Image}} began to run, and did not give its metadata in time.", "Image", image),
			i18n.M("Check that a worker in Code Engine can reach the bucket, then run the same command again."))
	}
	return failed(i18n.M("Runtime {{.Image}} failed, and Code Engine does not say why.", "Image", image), exitRemedy(run))
}

// silent is for a run that succeeded and left nothing.
func silent(run runDoc) error {
	return fault.New(fault.Failed, i18n.M("Runtime {{.Image}} left no metadata in the bucket.", "Image", run.Image),
		i18n.M("Check that the endpoint and the bucket of the Lithops configuration are those that workers in Code Engine reach."))
}

func pullRemedy() i18n.Message {
	return i18n.M("Check that it is pushed; for a private registry set 'docker_user' and 'docker_password' in section 'code_engine' of the Lithops configuration.")
}

func insideRemedy() i18n.Message {
	return i18n.M("Deploy an image that has the code inside with '--code image': 'ibmcloud fn-runtime build -b code_engine' makes one.")
}

func exitRemedy(run runDoc) i18n.Message {
	if len(run.Mounts) == 0 {
		return i18n.M("Check that the image has the Lithops code of this client in /lithops, and its modules. What the worker wrote is in IBM Cloud Logs, and of the local endpoint in what 'ibmcloud fn-runtime local logs' shows.")
	}
	return i18n.M("Check that the image has the modules of a Lithops worker. What the worker wrote is in IBM Cloud Logs, and of the local endpoint in what 'ibmcloud fn-runtime local logs' shows. If the code could not be mounted, deploy with '--code image'.")
}
