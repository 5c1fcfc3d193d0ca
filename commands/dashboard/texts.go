package dashboard

import (
	"fn-runtime/commands/view"
	"fn-runtime/i18n"
)

// labels returns the fixed texts of the page. The keys are the names that the templates use.
func labels(w view.Formatter) map[string]string {
	texts := map[string]i18n.Message{
		"dashboard": i18n.M("Dashboard"), "runtimes": i18n.M("Runtimes"), "jobs": i18n.M("Jobs"), "calls": i18n.M("Calls"),
		"timeline": i18n.M("Timeline"), "live": i18n.M("Live"), "lost": i18n.M("Not connected"),
		"namespace": i18n.M("Namespace"), "endpoint": i18n.M("Endpoint"), "bucket": i18n.M("Bucket"),
		"waiting": i18n.M("Waiting"), "cold": i18n.M("Cold start"), "running": i18n.M("Running"), "done": i18n.M("Done"),
		"failed": i18n.M("Failed"), "slowest": i18n.M("Slowest"), "total": i18n.M("Total"),
		"median": i18n.M("Median"), "p99": i18n.M("99th percentile"), "colds": i18n.M("Cold starts"), "gbs": i18n.M("GB-s"),
		"duration": i18n.M("Duration"), "concurrency": i18n.M("Concurrent calls"), "throughput": i18n.M("Finished calls per second"),
		"call": i18n.M("Call"), "state": i18n.M("State"), "error": i18n.M("Error"), "log": i18n.M("Log"), "start": i18n.M("Start"),
		"wait": i18n.M("Wait"), "activation": i18n.M("Activation"), "runtime": i18n.M("Runtime"), "memory": i18n.M("Memory"),
		"close": i18n.M("Close"), "svg": i18n.M("Save as SVG"), "png": i18n.M("Save as PNG"), "more": i18n.M("Show more"),
		"workers": i18n.M("Workers of the local endpoint"), "busy": i18n.M("Busy"), "idle": i18n.M("Kept warm"), "processors": i18n.M("Processors in use"),
		"backend":    i18n.M("Backend"),
		"nojobs":     i18n.M("No jobs found. A job appears here as soon as Lithops starts it."),
		"reading":    i18n.M("Loading..."),
		"noruntimes": i18n.M("No runtimes found."),
		"nolog":      i18n.M("The call has no log output."),
		"lanes":      i18n.M("Each line is a call, with the first call at the top. The table below lists the same calls."),
		"opening":    i18n.M("Opening the dashboard..."),
		"open":       i18n.M("Open"),
		"skip":       i18n.M("Skip to the timeline"),
		"newest":     i18n.M("Follow the newest job"),
		"denied":     i18n.M("The dashboard address is valid for one use in one browser."),
		"again":      i18n.M("Run 'ibmcloud fn-runtime dashboard' to get a new address."),
	}
	translated := make(map[string]string, len(texts))
	for name, text := range texts {
		translated[name] = w.Text(text)
	}
	return translated
}
