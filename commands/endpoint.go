package commands

import (
	"fn-runtime/commands/view"
	"fn-runtime/runtime/local"
)

// endpoint returns the local endpoint for the view, without its credentials.
func endpoint(i local.Info) view.Endpoint {
	return view.Endpoint{
		Running: i.Running, Hangs: i.Hangs, PID: i.PID, URL: i.Endpoint, S3URL: i.S3Endpoint, Namespace: i.Namespace, Bucket: i.Bucket,
		CAFile: i.CAFile, CABundle: i.CABundle, Python: i.Python, Invoker: i.Invoker, MemoryMB: i.MemoryMB, StartedAt: i.StartedAt, Version: i.Version,
	}
}
