package docs

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/commands"
	"fn-runtime/i18n/resource"
	"fn-runtime/test/harness"
)

// Generated pages are equal to the output of `make docs`.
func TestGeneratedPagesAreFresh(t *testing.T) {
	root, fresh := harness.Root(t), t.TempDir()
	cmd := exec.Command("go", "run", "./bin/reference", fresh)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, have := tree(t, fresh, "docs"), map[string]string{}
	for _, dir := range []string{"docs/reference", "docs/man"} {
		maps.Copy(have, tree(t, root, dir))
	}
	have["docs/environment.md"] = read(t, "docs/environment.md")
	for name, text := range want {
		if have[name] != text {
			t.Errorf("%s is stale: run 'make docs'", name)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			t.Errorf("%s describes a deleted command: run 'make docs'", name)
		}
	}
	if len(want) < 20 {
		t.Errorf("only %d pages are made", len(want))
	}
}

func tree(t *testing.T, root, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		all[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// source returns the program's own source files.
func source(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"plugin", "commands", "runtime", "i18n"} {
		for name, text := range tree(t, harness.Root(t), dir) {
			if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
				all[name] = text
			}
		}
	}
	return all
}

// Every variable that the source reads is listed on the page of environment variables.
func TestEnvironmentIsComplete(t *testing.T) {
	var page strings.Builder
	for _, e := range commands.Environment().Variables {
		page.WriteString(e.Term + ", ")
	}
	internal := map[string]string{
		"IBMCLOUD_PLUGIN_NAMESPACE": "how the host tells which namespace a command was called in",
		"https_proxy":               "HTTPS_PROXY as the client's Python reads it first",
		"FN_RUNTIME":                "a variable of Code Engine's jobs, which holds the notes of deploy",
	}
	reads := regexp.MustCompile(`(?i)(?:getenv|lookupenv)\("([A-Z_]+)"\)|Variable\s*=\s*"([A-Z_]+)"`)
	seen := 0
	for name, text := range source(t) {
		for _, m := range reads.FindAllStringSubmatch(text, -1) {
			variable := m[1] + m[2]
			seen++
			if _, ok := internal[variable]; !ok && !strings.Contains(page.String(), variable+", ") {
				t.Errorf("%s reads %s, which 'help environment' does not have", name, variable)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d readings seen", seen)
	}
}

// Each heading of the troubleshooting page is a message of the program.
func TestMessagesAreReal(t *testing.T) {
	texts, _, err := resource.Source(harness.Root(t))
	if err != nil {
		t.Fatal(err)
	}
	var patterns []*regexp.Regexp
	placeholder := regexp.MustCompile(`\\{\\{\\\.[A-Za-z]+\\}\\}`)
	for id := range texts {
		if len(id) > 12 { // "{{.Error}}" matches everything
			patterns = append(patterns, regexp.MustCompile("^"+placeholder.ReplaceAllString(regexp.QuoteMeta(id), ".+")+"$"))
		}
	}
	seen := 0
	for _, m := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(read(t, "docs/troubleshooting.md"), -1) {
		message := strings.Trim(m[1], "`")
		seen++
		known := false
		for _, p := range patterns {
			known = known || p.MatchString(message)
		}
		if !known {
			t.Errorf("the program does not say %q", message)
		}
	}
	if seen < 10 {
		t.Errorf("only %d messages seen", seen)
	}
}

// Every test that docs/seed-coverage.md names exists.
func TestSeedCoverageNamesRealTests(t *testing.T) {
	all := map[string]string{}
	for _, dir := range []string{"plugin", "commands", "runtime", "i18n", "test"} {
		for name, text := range tree(t, harness.Root(t), dir) {
			if strings.HasSuffix(name, "_test.go") {
				all[name[:strings.LastIndex(name, "/")]] += text
			}
		}
	}
	seen := 0
	for _, m := range regexp.MustCompile("`([a-z0-9/]+)[.:](Test\\w+)`").FindAllStringSubmatch(read(t, "docs/seed-coverage.md"), -1) {
		seen++
		if !strings.Contains(all[m[1]], "func "+m[2]+"(") {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
	if seen < 15 {
		t.Errorf("only %d tests are named", seen)
	}
}

// The page of dependencies lists every module that the source imports, and no other.
func TestDependenciesAreListed(t *testing.T) {
	root := harness.Root(t)
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Path}}", "all")
	cmd.Dir = root
	modules, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	imported := regexp.MustCompile(`(?m)^\s*(?:import )?(?:[\w.]+ )?"([a-z0-9.-]+\.[a-z]+/[^"]+)"$`)
	for _, dir := range []string{"plugin", "commands", "runtime", "i18n", "test", "bin"} {
		for name, text := range tree(t, root, dir) {
			if !strings.HasSuffix(name, ".go") {
				continue
			}
			for _, m := range imported.FindAllStringSubmatch(text, -1) {
				if module := moduleOf(m[1], strings.Fields(string(modules))); module != "" {
					used[module] = true
				}
			}
		}
	}
	page := read(t, "docs/dependencies.md")
	for module := range used {
		if !strings.Contains(page, "| "+module+" |") {
			t.Errorf("docs/dependencies.md lacks %s", module)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+\.\S+/\S+) \|`).FindAllStringSubmatch(page, -1) {
		if !used[m[1]] {
			t.Errorf("docs/dependencies.md has %s, which nothing imports", m[1])
		}
	}
	if len(used) < 20 {
		t.Errorf("only %d modules seen", len(used))
	}
}

// moduleOf returns the longest module path that is a prefix of a package's path.
func moduleOf(pkg string, modules []string) (best string) {
	for _, m := range modules {
		if (pkg == m || strings.HasPrefix(pkg, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// seedCommands lists the commands of the original instructions in order.
var seedCommands = []string{
	"lithops runtime deploy default", "docker login", "lithops runtime build docker_username/runtimename:tag", "lithops runtime build -f ibm_cf/Dockerfile.conda",
	"lithops runtime deploy docker_username/runtimename:tag", "lithops runtime deploy jsampe/lithops-matplotlib-3.8:0.1",
	"lithops runtime update default", "lithops runtime update docker_username/runtimename:tag", "lithops runtime update jsampe/lithops-conda-3.8:0.1",
	"lithops runtime update all", "lithops runtime delete default", "lithops runtime delete docker_username/runtimename:tag",
	"lithops runtime delete jsampe/lithops-conda-3.8:0.1", "lithops runtime delete all", "lithops clean -b ibm_cf",
}

// Every command of the original instructions is in the table of tested commands, with a test or a page, and has a row
// in the table for users who migrate from Lithops.
func TestEveryCommandOfTheSeedIsCovered(t *testing.T) {
	image := regexp.MustCompile(`(\S+/)+\S+:\S+$`)
	file := regexp.MustCompile(`-f \S+`)
	coverage, migration := read(t, "docs/seed-coverage.md"), read(t, "docs/migration.md")
	for _, command := range seedCommands {
		shown := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(command) + `[^|]*\|[^|]+\|(.*)\|$`).FindStringSubmatch(coverage)
		if shown == nil || !strings.Contains(shown[1], ":Test") && !strings.Contains(shown[1], ".md") {
			t.Errorf("docs/seed-coverage.md does not say what shows %q", command)
		}
		general := file.ReplaceAllString(image.ReplaceAllString(command, "IMAGE"), "-f FILE")
		if !strings.Contains(migration, "| `"+general) {
			t.Errorf("docs/migration.md has no row for %q", general)
		}
	}
}
