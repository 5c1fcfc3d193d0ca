// Command plot draws the two charts of docs/performance.md. It reads the report of bench as JSON from standard input
// and writes the charts to the given directory. It is a separate module because the plotting library would be the
// project's largest dependency.
package main

import (
	"encoding/json"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

type report struct {
	Rows []struct {
		Work   string
		Ours   time.Duration
		Theirs time.Duration
		Who    string
	}
	Points []struct {
		Work     string
		Size     int
		Requests int
		Took     time.Duration
		Peak     int64
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: plot DIR < REPORT")
	}
	var r report
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return err
	}
	if err := ratios(r, filepath.Join(os.Args[1], "performance-ratio.svg")); err != nil {
		return err
	}
	return growth(r, filepath.Join(os.Args[1], "performance-growth.svg"))
}

// ratios draws the times of both programs as pairs of bars, in seconds.
func ratios(r report, file string) error {
	p := plot.New()
	p.Title.Text = "Ours against theirs (shorter is faster)"
	p.X.Label.Text = "seconds"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	var names []string
	var ours, theirs plotter.XYs
	slices.Reverse(r.Rows) // the first row on top
	for _, row := range r.Rows {
		if row.Theirs <= 0 {
			continue
		}
		y := float64(len(names))
		names = append(names, row.Work+" - "+row.Who)
		ours = append(ours, plotter.XY{X: row.Ours.Seconds(), Y: y})
		theirs = append(theirs, plotter.XY{X: row.Theirs.Seconds(), Y: y})
	}
	if len(names) == 0 {
		return fmt.Errorf("the report compares nothing")
	}
	for i := range names {
		line, err := plotter.NewLine(plotter.XYs{ours[i], theirs[i]})
		if err != nil {
			return err
		}
		line.Color = color.Gray{Y: 170}
		p.Add(line)
	}
	for i, series := range []struct {
		name   string
		points plotter.XYs
	}{{"fn-runtime", ours}, {"theirs", theirs}} {
		dots, err := plotter.NewScatter(series.points)
		if err != nil {
			return err
		}
		dots.Color, dots.Shape, dots.Radius = plotutil.Color(i+1), plotutil.Shape(i), vg.Points(4)
		p.Add(dots)
		p.Legend.Add(series.name, dots)
	}
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.5, float64(len(names))-0.5
	p.Legend.Top = false
	return p.Save(26*vg.Centimeter, vg.Length(3+0.8*float64(len(names)))*vg.Centimeter, file)
}

// growth draws time against size, with one line per operation.
func growth(r report, file string) error {
	p := plot.New()
	p.Title.Text = "Time over size, 50 ms a request"
	p.X.Label.Text, p.Y.Label.Text = "runtimes or objects", "seconds"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	lines := map[string]plotter.XYs{}
	var works []string
	for _, pt := range r.Points {
		if lines[pt.Work] == nil {
			works = append(works, pt.Work)
		}
		lines[pt.Work] = append(lines[pt.Work], plotter.XY{X: float64(pt.Size), Y: pt.Took.Seconds()})
	}
	if len(works) == 0 {
		return fmt.Errorf("the report has no growth")
	}
	for i, work := range works {
		line, dots, err := plotter.NewLinePoints(lines[work])
		if err != nil {
			return err
		}
		line.Color, dots.Color, dots.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(i)
		p.Add(line, dots)
		p.Legend.Add(work, line, dots)
	}
	p.Legend.Top, p.Legend.Left = true, true
	return p.Save(20*vg.Centimeter, 13*vg.Centimeter, file)
}
