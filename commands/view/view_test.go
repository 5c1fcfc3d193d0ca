package view

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

var update = flag.Bool("update", false, "update the golden files")

// screen is a View whose output is recorded.
type screen struct {
	*View
	out, err bytes.Buffer
}

func newScreen(set func(*View)) *screen {
	s := &screen{View: &View{Texts: i18n.New(i18n.English)}}
	s.Out, s.Err, s.In = &s.out, &s.err, strings.NewReader("")
	if set != nil {
		set(s.View)
	}
	return s
}

func (s *screen) output() string { return "--- out\n" + s.out.String() + "--- err\n" + s.err.String() }

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

var when = time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC)

func sampleRuntimes() []runtime.Runtime {
	base := runtime.Runtime{
		Name: "docker.io/lithopscloud/ibmcf-python-v312", Image: "docker.io/lithopscloud/ibmcf-python-v312", MemoryMB: 256, TimeoutS: 600,
		PythonVersion: "3.12", LithopsVersion: "3.8.0", ID: entity.ID{Group: "lithops_abcd", Name: "docker.io_lithopscloud_ibmcf-python-v312_256MB_3.8.0"},
		Namespace: "guest", Region: "us-south", Backend: "ibm_cf", State: runtime.Ready, UpdatedAt: when,
	}
	long := base
	long.Name = "registry.example.com:5000/a-team/with/a/rather/long/name-of-an-image:2026-11-24"
	long.MemoryMB, long.State, long.PythonVersion = 2048, runtime.PythonMismatch, "3.9"
	long.Reason = i18n.M("It runs Python {{.Python}}.", "Python", "3.9")
	wide := base
	wide.Name, wide.State = "docker.io/me/日本語の名前:1.0", runtime.Outdated
	evil := base
	evil.Name, evil.State, evil.UpdatedAt = "me/\x1b]0;owned\x07\u202egnp.exe", runtime.OrphanMetadata, time.Time{}
	evil.PythonVersion = ""
	return []runtime.Runtime{base, long, wide, evil}
}

func sampleResult() runtime.Result {
	return runtime.Result{
		Items: []runtime.Item{
			{Change: runtime.Unchanged, Kind: runtime.KindResource, Term: entity.Term{Word: "package", Text: i18n.M("Package")}, Name: "lithops_abcd", Status: runtime.Done},
			{Change: runtime.Create, Kind: runtime.KindRuntime, Term: entity.Term{Word: "action"}, Name: "a_256MB_3.8.0", Image: "docker.io/me/a:1", Memory: 256, Status: runtime.Done, Took: 1234 * time.Millisecond},
			{Change: runtime.Create, Kind: "metadata", Name: "lithops.runtimes/ibm_cf/3.8.0/a.meta.json", Image: "docker.io/me/a:1", Memory: 256, Status: runtime.Done},
			{Change: runtime.Delete, Kind: "metadata", Name: "lithops.runtimes/ibm_cf/3.8.0/orphan.meta.json", Status: runtime.Done},
			{Change: runtime.Update, Kind: runtime.KindRuntime, Term: entity.Term{Word: "action"}, Name: "b_512MB_3.8.0", Image: "docker.io/me/b:1", Memory: 512, Status: runtime.Failed,
				Reason: i18n.M("The bundle differs."),
				Err:    fault.New(fault.Unavailable, i18n.M("The server answered {{.Status}}.", "Status", "502"), i18n.M("Try again later."))},
			{Change: runtime.Delete, Kind: "objects", Name: "lithops.jobs/", Count: 1, Status: runtime.Skipped},
		},
		Runtimes: sampleRuntimes()[:1],
	}
}

// modes are the settings in which all output is tested.
var modes = map[string]func(*View){
	"plain":  nil,
	"term80": func(v *View) { v.OutTTY, v.Width = true, 80 },
	"term40": func(v *View) { v.OutTTY, v.Width = true, 40 },
	"color":  func(v *View) { v.OutTTY, v.Width, v.OutColor, v.ErrColor = true, 80, true, true },
	"german": func(v *View) { v.Texts = i18n.New("de_DE"); v.Program = "bin/fn-runtime" },
	"json":   func(v *View) { v.JSON = true },
}

func TestGoldenOutput(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	shows := map[string]func(*View){
		"list":    func(v *View) { _ = v.Runtimes(sampleRuntimes()) },
		"empty":   func(v *View) { _ = v.Runtimes(nil) },
		"dry-run": func(v *View) { r := sampleResult(); r.DryRun = true; r.Items = r.Items[:3]; _ = v.Result(r) },
		"partial": func(v *View) {
			r := sampleResult()
			v.PartialResult(r, Unfinished(r))
			v.Fail(Unfinished(r), v.ResultDocument(r))
		},
		"same": func(v *View) {
			_ = v.Result(runtime.Result{Items: []runtime.Item{{Change: runtime.Unchanged, Kind: runtime.KindRuntime, Term: entity.Term{Word: "action"}, Name: "x", Image: "me/x:1", Memory: 256, Status: runtime.Done}}})
		},
		"show": func(v *View) {
			_ = v.Details([]runtime.Detail{{
				Runtime: sampleRuntimes()[1], BundleDeployed: strings.Repeat("ab", 32), ClientPython: "3.12", ClientLithops: "3.8.0",
				MetadataKey: "lithops.runtimes/x.meta.json", CachePath: "/home/me/.lithops/cache/x", CacheState: "stale",
				Modules: strings.Fields("a b c d e f g h i j"), Drift: []i18n.Message{i18n.M("It runs Python {{.Python}}.", "Python", "3.9")},
			}})
		},
		"invoke": func(v *View) {
			_ = v.Invocations([]runtime.Invocation{
				{ActivationID: "0123456789abcdef0123456789abcdef", Cold: true, Total: 2500 * time.Millisecond, InitMS: 1900, RunMS: 310, WaitMS: 12},
				{ActivationID: "1123456789abcdef0123456789abcdef", Total: 40 * time.Millisecond, RunMS: 21, WaitMS: 3},
			})
		},
		"doctor": func(v *View) {
			list := []runtime.Check{
				{Name: "session", Status: check.OK, Finding: i18n.M("Logged in.")},
				{Name: "bucket", Status: check.Failed, Finding: i18n.M("Bucket {{.Bucket}} is not there.", "Bucket", "b"), Remedy: i18n.M("Run 'ibmcloud fn-runtime deploy default'.")},
			}
			if v.JSON {
				_ = v.Document(v.ChecksDocument(list))
			} else {
				v.Checks(list)
			}
		},
		"fault": func(v *View) {
			v.Fail(errors.Join(
				fault.New(fault.Failed, i18n.M("The runtime {{.Name}} did not start.", "Name", "me/x:1"), i18n.M("Log in with 'ibmcloud login'.")).With("Traceback\x1b[2J", "ImportError"),
				errors.New("odd <b>&"), context.Canceled), nil)
		},
		"progress": func(v *View) {
			o := v.Observer()
			end := o.Begin(i18n.M("Deploying runtime {{.Name}} in namespace {{.Namespace}}...", "Name", "me/x:1", "Namespace", "guest"))
			o.Progress(3, 10, "")
			o.Note(i18n.M("Try 2 of 5."))
			o.Warn(i18n.M("The local endpoint runs this machine's Python."))
			end(nil)
			v.ok()
		},
	}
	for mode, set := range modes {
		for name, show := range shows {
			if mode == "term80" && (name == "progress" || name == "fault") {
				continue
			}
			t.Run(name+"/"+mode, func(t *testing.T) {
				s := newScreen(set)
				show(s.View)
				got := s.output()
				if s.JSON && name != "progress" {
					if !json.Valid(s.out.Bytes()) {
						t.Errorf("not one JSON document: %s", s.out.String())
					}
				}
				if strings.ContainsAny(strings.ReplaceAll(got, "\x1b[", ""), "\x1b\x07\u202e") {
					t.Errorf("raw control characters: %q", got)
				}
				if name == "list" && s.OutTTY {
					for line := range strings.SplitSeq(s.out.String(), "\n") {
						if strings.Contains(line, "ibmcloud") {
							break // advice is prose
						}
						if w := displayWidth(line); w > 80 {
							t.Errorf("%d columns: %s", w, line)
						}
					}
				}
				golden(t, name+"-"+mode, strings.ReplaceAll(got, "\x1b", "^"))
			})
		}
	}
}

func TestWrapLosesNothing(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("docker.io/日本/", 9), strings.Repeat("x", 99)} {
		for width := 1; width < 40; width++ {
			parts := wrap(s, width)
			if strings.Join(parts, "") != s {
				t.Fatalf("%q at %d: %q", s, width, parts)
			}
			for _, p := range parts {
				if width > 1 && runewidth.StringWidth(p) > width {
					t.Errorf("%q is wider than %d", p, width)
				}
			}
		}
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_950: "1.0 MB", 999_949: "999.9 kB", 12_345_678: "12.3 MB", 1 << 62: "4.6 EB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 ms", 340 * time.Millisecond: "340 ms", 2500 * time.Millisecond: "2.5 s", 200 * time.Second: "3 m 20 s"} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) = %q, want %q", d, got, want)
		}
	}
}

// A suggested command is colored to its end, even after a name in it that has a different color.
func TestCommandKeepsItsColorAfterAName(t *testing.T) {
	v := &View{Texts: i18n.New(i18n.English), FlagsFor: func(string) string { return " -b local" }}
	got := v.render(i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Image}}'.", "Image", "me/x"), true, true)
	want := "Deploy it with '\x1b[33;1mibmcloud fn-runtime deploy \x1b[36;1mme/x\x1b[0m\x1b[33;1m -b local\x1b[0m'."
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
