package commands

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/text"
)

// harness is a Factory for tests. Opening its service fails, and the options of each attempt are recorded.
type harness struct {
	*Factory
	out, err bytes.Buffer
	opened   []connect.Options
}

var errRefused = fault.New(fault.Unavailable, i18n.M("Refused."), i18n.M("Try again later."))

func newHarness() *harness {
	h := &harness{}
	h.Factory = &Factory{
		View:    &view.View{Streams: view.Streams{Out: &h.out, Err: &h.err, In: strings.NewReader("")}, Texts: i18n.New(i18n.English)},
		Version: "1.2.3",
		Service: func(_ context.Context, o connect.Options) (*runtime.Service, error) {
			h.opened = append(h.opened, o)
			return nil, errRefused
		},
	}
	return h
}

func (h *harness) run(line string) int {
	return Run(context.Background(), h.Factory, strings.Fields(line))
}

// A command that an error message suggests has the flags it needs to address the same target as the failed command.
func TestSuggestedCommandsKeepTheTarget(t *testing.T) {
	python := filepath.Join(t.TempDir(), "python3")
	if err := os.WriteFile(python, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ line, hint, want string }{
		"backend":                   {"list -b local --as code_engine", "deploy default -m 512", "deploy default -m 512 -b local --as code_engine"},
		"all target flags":          {"show x -c a/f.yaml -r eu-de -g G --namespace n --bucket b", "list", "list -c a/f.yaml -r eu-de -g G --namespace n --bucket b"},
		"several regions":           {"update all --regions us-south,eu-de", "doctor --repair", "doctor --repair --regions us-south,eu-de"},
		"command without regions":   {"update all -b ibm_cf --regions us-south,eu-de", "invoke IMAGE", "invoke IMAGE -b ibm_cf"},
		"command without a target":  {"list -b local", "local start --port PORT", "local start --port PORT"},
		"only flags of the command": {"list -b local --as code_engine", "local env", "local env --as code_engine"},
		"own backend":               {"list -b openwhisk", "lithops-config -b local -o FILE", "lithops-config -b local -o FILE"},
		"file that may be invalid":  {"list -b openwhisk -c bad.yaml", "lithops-config", "lithops-config -b openwhisk"},
		"help":                      {"list -b local", "deploy --help", "deploy --help"},
		"Python of the program":     {"run -b local -- " + python + " job.py", "deploy default", "deploy default -b local --python " + python},
		"init accepts no path":      {"run -b local -- " + python + " job.py", "init", "init -b local"},
		"no flags":                  {"list", "update all", "update all"},
	} {
		h := newHarness()
		refusal := fault.New(fault.Failed, i18n.M("Refused."), i18n.M("Run '{{.Command}}'.", "Command", "ibmcloud fn-runtime "+tc.hint))
		h.Service = func(context.Context, connect.Options) (*runtime.Service, error) { return nil, refusal }
		if status := h.run(tc.line); status != exitFailed || !strings.Contains(h.err.String(), "Run 'ibmcloud fn-runtime "+tc.want+"'.") {
			t.Errorf("%s: status %d, got %q, want %q", name, status, h.err.String(), tc.want)
		}
	}
}

func TestFlagsReachTheService(t *testing.T) {
	h := newHarness()
	status := h.run("deploy default -b openwhisk -c f.yaml --namespace ns --bucket bu --user-key abcd --python 3.11 --lithops /l -j 7 -m 256,512 -m 256 -q")
	if status != exitFailed || len(h.opened) != 1 {
		t.Fatalf("status %d, opened %d times: %s", status, len(h.opened), h.err.String())
	}
	o := h.opened[0]
	if o.Backend != "openwhisk" || o.ConfigFile != "f.yaml" || o.Namespace != "ns" || o.Bucket != "bu" || o.UserKey != "abcd" ||
		o.Python != "3.11" || o.LithopsDir != "/l" || o.Jobs != 7 || !o.NeedStore || !o.NeedInstall || o.Host.Observer == nil {
		t.Errorf("got %+v, want every flag in its option", o)
	}
	if !h.View.Quiet || !strings.Contains(h.err.String(), "FAILED\nRefused.\nTry again later.\n") {
		t.Errorf("err: %s", h.err.String())
	}
}

// The argument of logs is an activation ID or a job name if it has that format, and part of an image name otherwise.
func TestLogsArgument(t *testing.T) {
	for arg, want := range map[string]runtime.LogsRequest{
		"7157f484ac9776a0cf3d7646690df765": {Activation: "7157f484ac9776a0cf3d7646690df765"},
		"0123456789ab":                     {Activation: "0123456789ab"},
		"a1b2c3-0-M000":                    {Job: "a1b2c3-0-M000"},
		"default":                          {Runtime: "default"},
		"me/img":                           {Runtime: "me/img"},
	} {
		var got runtime.LogsRequest
		if err := parseLogsArgument(&got, []string{arg}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", arg, got, err, want)
		}
	}
	for _, line := range []string{"jobs --price 0", "jobs --price x", "logs --since 0", "logs a b", "logs a1b2c3-0-M000 --job a1b2c3-0-M001"} {
		if h := newHarness(); h.run(line) != exitUsage || len(h.opened) > 0 {
			t.Errorf("%s: opened %d times: %s", line, len(h.opened), h.err.String())
		}
	}
}

func TestConnectOptionsOfEveryCommand(t *testing.T) {
	for line, want := range map[string]connect.Options{
		"deploy a/b:1":         {NeedStore: true, NeedInstall: true, NeedImages: true},
		"deploy a/b:1 --pin":   {NeedStore: true, NeedInstall: true, NeedImages: true},
		"update all":           {NeedStore: true, NeedInstall: true, NeedImages: true},
		"delete all -f":        {NeedStore: true, NeedInstall: true},
		"delete all --dry-run": {NeedStore: true, NeedInstall: true},
		"list":                 {NeedStore: true, NeedInstall: true, NeedImages: true},
		"list a -r eu-de -g g": {NeedStore: true, NeedInstall: true, NeedImages: true, Region: "eu-de", ResourceGroup: "g"},
		"show a":               {NeedStore: true, NeedInstall: true, NeedImages: true},
		"invoke a -n 3":        {NeedInstall: true},
		"logs a -f -n 3":       {NeedStore: true},
		"logs default":         {NeedStore: true, NeedInstall: true},
		"jobs --since 7d":      {NeedStore: true},
		"clean --force":        {NeedStore: true, NeedInstall: true},
		"lithops-config":       {NeedStore: true, NeedInstall: true},
		"doctor --repair":      {NeedStore: true, NeedInstall: true, NeedImages: true, Tolerant: true},
		"build a/b:1":          {NeedInstall: true, NeedImages: true, LocalOnly: true},
		"init d --python 3.9":  {LocalOnly: true},
		"init":                 {LocalOnly: true, NeedInstall: true},
	} {
		h := newHarness()
		if status := h.run(line); status != exitFailed || len(h.opened) != 1 {
			t.Errorf("%s: status %d, opened %d times: %s", line, status, len(h.opened), h.err.String())
			continue
		}
		got := h.opened[0]
		got.Host = connect.Host{}
		if !equalOptions(got, want) {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
}

func equalOptions(a, b connect.Options) bool {
	return a.NeedStore == b.NeedStore && a.NeedInstall == b.NeedInstall && a.NeedImages == b.NeedImages && a.LocalOnly == b.LocalOnly &&
		a.Tolerant == b.Tolerant && a.Region == b.Region && a.ResourceGroup == b.ResourceGroup
}

func TestIncorrectUsageOpensNoService(t *testing.T) {
	for _, line := range []string{
		"deploy", "deploy a b", "deploy a -m 0", "deploy a -t -1", "list -b aws", "delete all", "clean", "clean -f --all --older-than 1h",
		"list --output xml", "show a -m 256,512", "invoke a -n 0", "local start --invoker podman", "version x", "completion", "nothing", "-z",
	} {
		h := newHarness()
		if status := h.run(line); status != exitUsage || len(h.opened) != 0 {
			t.Errorf("%s: status %d, opened %d times", line, status, len(h.opened))
		}
		if !strings.HasPrefix(h.err.String(), "FAILED\nIncorrect Usage. ") || !strings.Contains(h.err.String(), "USAGE:") || h.out.Len() > 0 {
			t.Errorf("%s: out %q, err %q", line, h.out.String(), h.err.String())
		}
	}
}

func TestExitStatus(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	live := context.Background()
	for _, tc := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{live, usage(i18n.M("x")), exitUsage},
		{live, errors.New("x"), exitFailed},
		{live, errRefused, exitFailed},
		{live, &partial{cause: errRefused}, exitFailed},
		{live, context.Canceled, exitInterrupted},
		{canceled, errRefused, exitInterrupted},
	} {
		if got := exitStatus(tc.ctx, tc.err); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.err, got, tc.want)
		}
	}
}

func TestFinishReportsPartialResults(t *testing.T) {
	r := runtime.Result{Items: []runtime.Item{
		{Change: runtime.Delete, Kind: runtime.KindRuntime, Term: entity.Term{Word: "action"}, Name: "a", Status: runtime.Done},
		{Change: runtime.Delete, Kind: runtime.KindRuntime, Term: entity.Term{Word: "action"}, Name: "b", Status: runtime.Failed, Err: errRefused},
	}}
	h := newHarness()
	err := h.finish([]regionResult[runtime.Result]{{value: r, err: nil}})
	var p *partial
	if !errors.As(err, &p) || p.doc == nil {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(h.out.String(), "Done") || !strings.Contains(h.out.String(), "Refused.") {
		t.Errorf("out: %s", h.out.String())
	}
	if err := h.finish([]regionResult[runtime.Result]{{err: errRefused}}); !errors.Is(err, errRefused) || errors.As(err, &p) {
		t.Errorf("without items: %v", err)
	}
}

func TestConfirmationShowsThePlan(t *testing.T) {
	h := newHarness()
	h.View.InTTY, h.View.In = true, strings.NewReader("n\n")
	h.Service = func(context.Context, connect.Options) (*runtime.Service, error) {
		return &runtime.Service{Site: site.Site{Target: runtime.Target{Namespace: "guest", Endpoint: "https://ow.example"}}}, nil
	}
	plan := runtime.Result{Items: []runtime.Item{{Change: runtime.Delete, Kind: runtime.KindRuntime, Term: entity.Term{Word: "action"}, Name: "a", Image: "me/a:1", Memory: 256}, {Change: runtime.Delete, Kind: runtime.KindRuntime, Term: entity.Term{Word: "action"}, Name: "b"}}}
	err := h.change(t.Context(), change{
		target: &targetFlags{}, declined: i18n.M("Nothing was deleted."),
		question: func(plan runtime.Result) i18n.Message {
			return i18n.N("Delete {{.Count}} runtime?", "Delete {{.Count}} runtimes?", deletions(plan, runtime.KindRuntime))
		},
		do: func(_ context.Context, _ *runtime.Service, confirm confirm) (runtime.Result, error) {
			yes, err := confirm(plan)
			if yes || err != nil {
				t.Errorf("got %v, %v, want no", yes, err)
			}
			return runtime.Result{}, err
		},
	})
	if err != nil {
		t.Error(err)
	}
	want := "Delete 2 runtimes? (guest https://ow.example) [y/N]> "
	if got := h.err.String(); !strings.Contains(got, "me/a:1  256 MB ") || !strings.HasSuffix(got, want) {
		t.Errorf("on stderr: got %q, want the plan and %q", got, want)
	}
	if got, want := h.out.String(), "Nothing was deleted.\n"; got != want {
		t.Errorf("on stdout: got %q, want %q", got, want)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"deploy", "delete", "list", "local", "update", "build"}
	for word, want := range map[string]string{"delpoy": "deploy", "delet": "delete", "lst": "list", "buidl": "build", "x": "", "": "", "frobnicate": "", "ls": "", "locl": "local"} {
		if got := text.Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	var age time.Duration
	for s, want := range map[string]time.Duration{"30m": 30 * time.Minute, "7d": 7 * 24 * time.Hour, "1h30m": 90 * time.Minute, "0s": 0, "-1h": 0, "d": 0, "99999999999d": 0, "7": 0, "": 0} {
		age = 0
		err := ageValue{&age}.Set(s)
		if age != want || (want == 0) != (err != nil) {
			t.Errorf("%q: %v, %v", s, age, err)
		}
	}
	var list []int
	if err := (memoryValue{&list}).Set(" 256, 512 "); err != nil || !slices.Equal(list, []int{256, 512}) {
		t.Errorf("%v, %v", list, err)
	}
	for s, want := range map[string]bool{"3.11": true, "3": false, "3.x": false, "3.011": false, "": false, "3.11.7": false, "-1.2": false} {
		if isVersion(s) != want {
			t.Errorf("isVersion(%q) = %v", s, !want)
		}
	}
}

func FuzzRun(f *testing.F) {
	f.Add("deploy default -m 256,512 --output json")
	f.Add("help local start")
	f.Add("-x=\x1b[2J clean --older-than 7d")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "local") && !strings.Contains(line, "help") {
			t.Skip() // it would start the endpoint
		}
		h := newHarness()
		status := h.run(line)
		if !slices.Contains([]int{exitDone, exitFailed, exitUsage}, status) {
			t.Errorf("status %d", status)
		}
		if strings.ContainsRune(h.err.String(), '\x1b') {
			t.Errorf("raw escape in %q", h.err.String())
		}
	})
}
