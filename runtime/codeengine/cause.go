package codeengine

import (
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

var exitCode = text.NewPattern(`^ContainerExitedCode([0-9]{1,3})$`)

// failureCause returns the reason why a run did not write its metadata, with a remedy. The service reports a single
// word and no log.
func failureCause(run runDoc) error {
	reason := text.Line(run.reason(), 200)
	contains := func(words ...string) bool {
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
	case contains("oomkilled", "outofmemory"):
		scale, _ := lithops.ParseJobSize(run.CPU, run.Memory)
		mb := scale.MemoryMB
		return failed(i18n.M("Runtime {{.Image}} needs more than {{.Memory}} MB of memory to start.", "Image", image, "Memory", mb),
			i18n.M("Deploy it with more memory: 'ibmcloud fn-runtime deploy {{.Image}} --memory {{.More}}'.", "Image", image, "More", 2*mb))
	case contains("ephemeralstorage"):
		return failed(i18n.M("Runtime {{.Image}} writes more to its disk than Code Engine allows for a job.", "Image", image),
			i18n.M("Change the image so that it writes less to disk at startup, or writes to a directory in memory."))
	case contains("imagepull", "errimage", "invalidimage", "pullimage", "fetchimage", "fetchingimage"):
		return failed(i18n.M("Code Engine cannot pull the image {{.Image}}: {{.Reason}}.", "Image", image, "Reason", reason), pullRemedy())
	case contains("mount", "configmap", "config_map", "createcontainerconfig"):
		return failed(i18n.M("Code Engine cannot mount the Lithops code for {{.Image}}: {{.Reason}}.", "Image", image, "Reason", reason), codeInImageRemedy())
	case contains("deadline", "timeout", "timedout"):
		return failed(i18n.M("Runtime {{.Image}} did not write its metadata within its timeout.", "Image", image),
			i18n.M("Deploy it with a longer timeout."))
	case m != nil && (m[1] == "127" || m[1] == "126" || m[1] == "128"):
		return failed(i18n.M("Runtime {{.Image}} has no Python at {{.Path}}, where Lithops expects it.", "Image", image, "Path", lithops.JobPython),
			i18n.M("Add a link to Python at that path in the image, or use another base image: 'ibmcloud fn-runtime init --backend code_engine' writes a Dockerfile."))
	case m != nil:
		return failed(i18n.M("Runtime {{.Image}} exited with code {{.Code}} before it wrote its metadata.", "Image", image, "Code", m[1]), exitRemedy(run))
	case reason != "":
		return failed(i18n.M("Runtime {{.Image}} does not start: {{.Error}}.", "Image", image, "Error", strings.TrimRight(reason, ".")), exitRemedy(run))
	case run.pending():
		return fault.New(fault.Timeout, i18n.M("The job run of {{.Image}} did not start in time: the image could not be pulled, the code could not be mounted, or a quota of the project is used up.", "Image", image),
			i18n.M("Check the image, and check the quotas with 'ibmcloud fn-runtime doctor'. To avoid the mount, pass '--code image'."))
	case run.Status != "failed":
		return fault.New(fault.Timeout, i18n.M("Runtime {{.Image}} started but did not write its metadata in time.", "Image", image),
			i18n.M("Check that a worker in Code Engine can reach the bucket, then rerun the command."))
	}
	return failed(i18n.M("Runtime {{.Image}} failed. Code Engine did not report a reason.", "Image", image), exitRemedy(run))
}

// missingMetadata returns the cause for a run that succeeded without writing metadata.
func missingMetadata(run runDoc) error {
	return fault.New(fault.Failed, i18n.M("Runtime {{.Image}} wrote no metadata to the bucket.", "Image", run.Image),
		i18n.M("Check that Code Engine workers can reach the endpoint and the bucket in the Lithops configuration."))
}

func pullRemedy() i18n.Message {
	return i18n.M("Check that the image was pushed. For a private registry, set 'docker_user' and 'docker_password' in section 'code_engine' of the Lithops configuration.")
}

func codeInImageRemedy() i18n.Message {
	return i18n.M("Build an image that contains the code with 'ibmcloud fn-runtime build -b code_engine', then deploy it with '--code image'.")
}

func exitRemedy(run runDoc) i18n.Message {
	if len(run.Mounts) == 0 {
		return i18n.M("Check that the image contains this client's Lithops code in /lithops and the modules that the code requires. The worker's output is in IBM Cloud Logs; for the local endpoint, see 'ibmcloud fn-runtime local logs'.")
	}
	return i18n.M("Check that the image contains the modules that a Lithops worker requires. The worker's output is in IBM Cloud Logs; for the local endpoint, see 'ibmcloud fn-runtime local logs'. If the code could not be mounted, deploy with '--code image'.")
}
