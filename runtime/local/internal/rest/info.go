package rest

import (
	"fmt"
	"net/http"
)

// info returns the description of the API, which wsk prints.
func (a *api) info(c call) error {
	a.respond(c, http.StatusOK, map[string]any{
		"api_version": "1.0.0", "api_version_path": "v1", "build": "local", "buildno": "fn-runtime", "description": "OpenWhisk API",
	})
	return nil
}

// platform returns the description of the service: the supported kinds of actions, and limits with sizes in bytes and
// times in milliseconds. wskdeploy replaces a kind that is not listed with the default one.
func (a *api) platform(c call) error {
	var python []map[string]any
	for _, kind := range []string{python3, "python:3.9", "python:3.10", "python:3.11", "python:3.12", "python:3.13"} {
		python = append(python, map[string]any{"kind": kind, "image": "", "default": kind == python3, "deprecated": false, "attached": false, "requireMain": false})
	}
	limits := map[string]int{"concurrent_actions": a.Queue}
	for _, prefix := range []string{"", "default_"} {
		limits[prefix+"min_action_duration"], limits[prefix+"max_action_duration"] = minTimeoutMS, MaxTimeoutMS
		limits[prefix+"min_action_memory"], limits[prefix+"max_action_memory"] = MinMemoryMB<<20, MaxMemoryMB<<20
		limits[prefix+"min_action_logs"], limits[prefix+"max_action_logs"] = 0, maxLogsMB<<20
	}
	a.respond(c, http.StatusOK, map[string]any{
		"api_paths": []string{"/api/v1"}, "description": "OpenWhisk", "limits": limits, "runtimes": map[string]any{"python": python},
	})
	return nil
}

// limits returns the limits of a namespace, with sizes in MB and times in milliseconds.
func (a *api) limits(c call) error {
	a.respond(c, http.StatusOK, map[string]any{
		"concurrentInvocations": a.Queue, "maxActionInstances": a.Queue, "maxParameterSize": fmt.Sprintf("%d B", maxParameters),
		"minActionMemory": MinMemoryMB, "maxActionMemory": MaxMemoryMB, "minActionTimeout": minTimeoutMS, "maxActionTimeout": MaxTimeoutMS,
		"minActionLogs": 0, "maxActionLogs": maxLogsMB, "minActionConcurrency": 1, "maxActionConcurrency": maxConcurrency,
	})
	return nil
}

// listNone responds with an empty list of triggers or rules, which clients list together with other entities.
func (a *api) listNone(c call) error {
	a.respond(c, http.StatusOK, []string{})
	return nil
}

// notFound responds to a request for a trigger or a rule that cannot exist.
func notFound(call) error { return errNotFound }

// Unsupported features, for error messages.
const (
	packageBindings = "package bindings"
	webActions      = "web actions or the API gateway"
)

func unsupported(feature string) func(call) error {
	return func(call) error { return notImplemented(feature) }
}

func notImplemented(feature string) *apiError {
	return badRequest("The local endpoint does not implement %s.", feature)
}
