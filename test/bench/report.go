package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// report holds all results of one run. The plot command reads it as JSON.
type report struct {
	Rows   []row   `json:"rows"`
	Points []point `json:"points"`
}

// resultTable returns the comparison as rows of cells. The first row is the heading.
func resultTable(rows []row) [][]string {
	table := [][]string{{"Operation", "fn-runtime", "Other tool", "Ratio", "Compared with"}}
	for _, r := range rows {
		theirs, ratio := "-", "-"
		if r.Theirs > 0 {
			theirs = round(r.Theirs).String()
			ratio = fmt.Sprintf("%.1fx", float64(r.Theirs)/float64(r.Ours))
		}
		who := r.Who
		if r.Note != "" {
			who = strings.TrimSpace(who + " (" + r.Note + ")")
		}
		table = append(table, []string{r.Work, round(r.Ours).String(), theirs, ratio, who})
	}
	return table
}

func show(w io.Writer, table [][]string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range table {
		fmt.Fprintln(tw, strings.Join(line, "\t"))
	}
	tw.Flush()
}

func markdown(w io.Writer, table [][]string) {
	for i, line := range table {
		fmt.Fprintf(w, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat(" --- |", len(line)))
		}
	}
	fmt.Fprintln(w)
}

// write creates docs/performance.md and its plots from the results of this run. It keeps the text that was written by
// hand.
func (b *bench) write(ctx context.Context, r report, start time.Time, loadBefore string) error {
	notes, err := os.ReadFile(filepath.Join(b.root, "test", "bench", "notes.md"))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Performance\n\nThis page compares the speed of the commands with that of the tools that they replace. `make bench` measured both sides\nin one run on %s, which took %s, on this machine:\n\n",
		start.UTC().Format("2006-01-02 15:04 MST"), time.Since(start).Round(time.Second))
	for _, line := range b.machine(ctx) {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	fmt.Fprintf(&out, "- load average %s before the run and %s after it (a value above the number of processors means that the machine was shared)\n", loadBefore, load())
	fmt.Fprintf(&out, "\n## Comparison\n\n")
	markdown(&out, resultTable(r.Rows))
	fmt.Fprintf(&out, "![Ratio of each comparison](performance-ratio.svg)\n\n## Scaling\n\n")
	markdown(&out, growthTable(r.Points))
	fmt.Fprintf(&out, "![Time and memory by size](performance-growth.svg)\n\n")
	out.Write(notes)
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "run", ".", filepath.Join(b.root, "docs"))
	cmd.Dir, cmd.Stdin = filepath.Join(b.root, "test", "bench", "plot"), bytes.NewReader(data)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("plot: %w\n%s", err, said)
	}
	return os.WriteFile(filepath.Join(b.root, "docs", "performance.md"), out.Bytes(), 0o644)
}

// machine describes the machine that the results were measured on.
func (b *bench) machine(ctx context.Context) []string {
	lines := []string{fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor()), "built with " + runtime.Version()}
	if info, err := os.Stat(b.bin); err == nil {
		lines = append(lines, fmt.Sprintf("binary of %.1f MB", float64(info.Size())/1e6))
	}
	venv, err := b.venv(ctx)
	if err != nil {
		return lines
	}
	out, err := exec.CommandContext(ctx, filepath.Join(venv, "bin", "python"), "-c",
		"import sys, lithops; print('Python %d.%d.%d, Lithops %s' % (*sys.version_info[:3], lithops.__version__))").Output()
	if err == nil {
		lines = append(lines, strings.TrimSpace(string(out)))
	}
	return lines
}

// processor returns the model that Linux reports, or "" on other systems.
func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "model not known"
}

// load returns the load average of the last minute.
func load() string {
	data, _ := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(data)); len(fields) > 0 {
		return fields[0]
	}
	return "not known"
}
