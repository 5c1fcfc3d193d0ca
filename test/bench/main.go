// Command bench measures this plug-in beside what people use today, both sides in one run, and prints one table with
// medians and ratios. It measures; it does not judge: no test depends on it.
//
//	go run ./test/bench [-only GROUP,...] [-runs N]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one line of the table: the same work done by both sides.
type row struct {
	Work   string
	Ours   time.Duration // median
	Theirs time.Duration // median; 0 when there is nothing to compare with
	Who    string        // the other side
	Note   string
}

// group is a set of measurements that share a stage.
type group struct {
	name string
	run  func(ctx context.Context, b *bench) ([]row, error)
}

// bench is what every group gets.
type bench struct {
	root  string // the project's folder
	bin   string // the built binary
	cache string // what is kept between runs
	runs  int
	loud  bool // say what each run took
}

func (b *bench) say(format string, args ...any) {
	if b.loud {
		fmt.Fprintf(os.Stderr, "  "+format+"\n", args...)
	}
}

func main() {
	only := flag.String("only", "", "groups to run, separated by commas (default: all)")
	runs := flag.Int("runs", 20, "runs of short measurements; the median counts")
	loud := flag.Bool("v", false, "say what each run took")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *runs, *loud); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED")
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, runs int, loud bool) error {
	b, err := newBench(runs)
	if err != nil {
		return err
	}
	b.loud = loud
	var all []row
	for _, g := range groups() {
		if only != "" && !strings.Contains(","+only+",", ","+g.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "Measuring %s...\n", g.name)
		rows, err := g.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		all = append(all, rows...)
	}
	print(all)
	return nil
}

func print(rows []row) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Work\tfn-runtime\tTheirs\tRatio\tCompared with")
	for _, r := range rows {
		theirs, ratio := "-", "-"
		if r.Theirs > 0 {
			theirs = round(r.Theirs).String()
			ratio = fmt.Sprintf("%.1fx", float64(r.Theirs)/float64(r.Ours))
		}
		who := r.Who
		if r.Note != "" {
			who += " (" + r.Note + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Work, round(r.Ours), theirs, ratio, who)
	}
	w.Flush()
}

func round(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}
