// Command bench compares this plug-in with the tools that people use today. It measures both in one run, and prints a
// table with medians and ratios, and a table that shows how time and memory grow with the size. No test depends on it.
//
//	go run ./test/bench [-only GROUP,...] [-runs N] [-v] [-write]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// row is one line of the table: the same operation on both sides.
type row struct {
	Work   string        `json:"work"`
	Ours   time.Duration `json:"ours"`   // median
	Theirs time.Duration `json:"theirs"` // median; 0 if there is nothing to compare with
	Who    string        `json:"who"`    // name of the other side
	Note   string        `json:"note"`
}

// group is a set of measurements that share an environment.
type group struct {
	name string
	run  func(ctx context.Context, b *bench) ([]row, error)
}

// bench holds the settings and results that all groups share.
type bench struct {
	root    string // root directory of the project
	bin     string // the built binary
	cache   string // cache directory that is kept between runs
	runs    int
	verbose bool    // print the duration of each run
	points  []point // points of growth so far
}

func (b *bench) logf(format string, args ...any) {
	if b.verbose {
		fmt.Fprintf(os.Stderr, "  "+format+"\n", args...)
	}
}

func main() {
	only := flag.String("only", "", "groups to run, separated by commas (default: all)")
	runs := flag.Int("runs", 20, "runs of short measurements; the median counts")
	verbose := flag.Bool("v", false, "print the duration of each run")
	write := flag.Bool("write", false, "write docs/performance.md and its plots")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b, err := newBench(*runs)
	if err == nil {
		b.verbose = *verbose
		err = run(ctx, b, *only, *write)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAILED")
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b *bench, only string, write bool) error {
	start, before := time.Now(), load()
	var r report
	for _, g := range groups() {
		if only != "" && !strings.Contains(","+only+",", ","+g.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "Measuring %s...\n", g.name)
		rows, err := g.run(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		r.Rows = append(r.Rows, rows...)
	}
	r.Points = b.points
	show(os.Stdout, resultTable(r.Rows))
	if len(r.Points) > 0 {
		fmt.Println()
		show(os.Stdout, growthTable(r.Points))
	}
	fmt.Printf("\nLoad average before the run %s, after it %s.\n", before, load())
	if write {
		return b.write(ctx, r, start, before)
	}
	return nil
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
