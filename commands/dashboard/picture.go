package dashboard

import (
	"bytes"
	"context"
)

// The dimensions of a saved timeline in pixels.
const (
	pictureWidth   = 1200
	pictureMargin  = 64
	pictureTop     = 150
	maxLanesHeight = 800 // maximum height of all lanes together
)

// picture is the template data of a timeline that is saved as a separate SVG file.
type picture struct {
	T            map[string]string
	Job          *jobView
	Lanes        chunk
	Width        int
	Height       int
	DrawingWidth int // width of the lanes and curves
	Margin       int
	Top          int // y position of the lanes
	Curves       []placedCurve
	Legend       []legendItem
}

// placedCurve is a curve with the positions of its edges and its title in pixels.
type placedCurve struct {
	curve
	Y, Caption, TopY, ZeroY int
}

// legendItem is a shape and its label.
type legendItem struct {
	Name, Label string
	X, TextX    int
}

// Picture reads a job and returns its timeline as an SVG file. It returns nil if the job does not exist.
func Picture(ctx context.Context, o Options, job string) ([]byte, error) {
	if _, err := o.Watch.Refresh(ctx); err != nil {
		return nil, err
	}
	s := newServer(o)
	j := s.layoutJob(job)
	if j == nil {
		return nil, nil
	}
	return s.draw(j)
}

func (s *server) draw(j *jobView) ([]byte, error) {
	t := j.timeline
	p := picture{T: s.labels, Job: j, Width: pictureWidth, DrawingWidth: pictureWidth - 2*pictureMargin, Margin: pictureMargin, Top: pictureTop}
	y := p.Top
	if len(t.Calls) > 0 {
		p.Lanes = t.draw(1, len(t.Calls), s.o.Format.Duration)
		p.Lanes.PixelHeight = min(p.Lanes.Height, maxLanesHeight)
	}
	y += p.Lanes.PixelHeight
	for _, c := range p.Job.Curves {
		y += 44
		p.Curves = append(p.Curves, placedCurve{c, y, y - 10, y + 10, y + c.Height})
		y += c.Height
	}
	p.Height = y + 40
	x := pictureMargin
	for _, name := range []string{"waiting", "cold", "running", "done", "failed", "slowest"} {
		label := s.labels[name]
		p.Legend = append(p.Legend, legendItem{name, label, x, x + 30})
		x += 52 + textWidth(label)
	}
	var out bytes.Buffer
	err := s.html.ExecuteTemplate(&out, "picture", p)
	return out.Bytes(), err
}

// textWidth returns the approximate width of a text in pixels. East Asian characters are about twice as wide as others.
func textWidth(s string) int {
	w := 0
	for _, r := range s {
		w += 7
		if r >= 0x2e80 {
			w += 6
		}
	}
	return w
}
