package view

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// visibleLines returns the lines that remain on a terminal after carriage returns and "erase to end of line" sequences.
func visibleLines(raw string) []string {
	var lines []string
	for line := range strings.SplitSeq(raw, "\n") {
		if i := strings.LastIndex(line, "\r\x1b[K"); i >= 0 {
			line = line[i+len("\r\x1b[K"):]
		}
		lines = append(lines, line)
	}
	return lines
}

func TestLiveLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(func(v *View) { v.ErrTTY, v.Width = true, 40 })
		o := s.Observer()
		endA := o.Begin(i18n.M("Deploying runtime {{.Name}}...", "Name", "a-name-that-is-much-too-long-for-one-line"))
		endB := o.Begin(i18n.M("Second step..."))
		o.Progress(3, 10, "")
		time.Sleep(2500 * time.Millisecond)
		o.Progress(8, 10, "")
		o.Note(i18n.M("Retrying."))
		synctest.Wait()
		raw := s.err.String()
		for frame := range strings.SplitSeq(raw, "\r\x1b[K") {
			if line, _, _ := strings.Cut(frame, "\n"); displayWidth(line) > 40 && !strings.Contains(line, "Retrying") {
				t.Errorf("%d columns: %q", displayWidth(line), line)
			}
		}
		if !strings.Contains(raw, "[########..] 8/10 (2/s)") || !strings.Contains(raw, "(+1)") || !strings.Contains(raw, " 2 s") {
			t.Errorf("live line: %q", raw)
		}
		endB(nil)
		endA(errors.New("x"))
		endA(nil) // calling it again has no effect
		got := visibleLines(s.err.String())
		want := []string{"Retrying.", "Second step... (2.5 s)", "Deploying runtime", "a-name-that-is-much-too-long-for-one-line...", "(2.5 s)", ""}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("got %q, want %q", got, want)
		}
	}) // synctest fails if the goroutine of the ticker is still running
}

func TestProgressFromManyGoroutines(t *testing.T) {
	s := newScreen(func(v *View) { v.ErrTTY, v.Width = true, 80 })
	o := s.Observer()
	lines := s.LineWriter()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			end := o.Begin(i18n.M("Step..."))
			o.Progress(1, 2, "bytes")
			_, _ = io.WriteString(lines, "Step 1/2 : RUN\x1b[2J\n")
			end(nil)
		})
	}
	wg.Wait()
	if n := strings.Count(s.err.String(), `RUN\x1b[2J`+"\n"); n != 16 {
		t.Errorf("%d lines, want 16", n)
	}
}

func TestLineWriterBreaksLongLines(t *testing.T) {
	s := newScreen(nil)
	w := s.LineWriter()
	for range 100 {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}
	for line := range strings.SplitSeq(s.err.String(), "\n") {
		if len(line) > maxLine {
			t.Errorf("line of %d bytes", len(line))
		}
	}
}

func TestConfirm(t *testing.T) {
	question := i18n.M("Delete {{.Name}}?", "Name", "x")
	for answer, want := range map[string]bool{"y\n": true, "YES\n": true, "\n": false, "n\n": false, "": false, "yep\n": false} {
		s := newScreen(func(v *View) { v.InTTY, v.In = true, strings.NewReader(answer) })
		yes, err := s.Confirm(context.Background(), question)
		if yes != want || err != nil || s.err.String() != "Delete x? [y/N]> " {
			t.Errorf("%q: %v, %v, %q", answer, yes, err, s.err.String())
		}
	}
	for name, set := range map[string]func(*View){"no terminal": nil, "json": func(v *View) { v.InTTY, v.JSON = true, true }} {
		if _, err := newScreen(set).Confirm(context.Background(), question); !fault.Is(err, fault.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, w := io.Pipe()
	defer w.Close()
	if _, err := newScreen(func(v *View) { v.InTTY, v.In = true, r }).Confirm(ctx, question); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// The duration of a step does not include the time that the user needs to answer a question.
func TestStepDurationExcludesQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(func(v *View) { v.ErrTTY, v.Width = true, 80 })
		end := s.Observer().Begin(i18n.M("Deleting..."))
		resume := s.pause()
		time.Sleep(time.Minute)
		resume()
		end(nil)
		if got := s.err.String(); strings.Contains(got, "1 m") || !strings.HasSuffix(got, "Deleting...\n") {
			t.Errorf("the step took %q", got)
		}
	})
}

// In a terminal that cannot erase output, progress is written as lines.
func TestDumbTerminalGetsLines(t *testing.T) {
	s := newScreen(func(v *View) { v.ErrTTY, v.Dumb, v.Width = true, true, 80 })
	s.Observer().Begin(i18n.M("Deleting..."))(nil)
	if got, want := s.err.String(), "Deleting...\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The output of a build step is shown in the live line until the next line replaces it. Only the steps stay on the
// screen.
func TestOutputOfBuildStepsIsFolded(t *testing.T) {
	s := newScreen(func(v *View) { v.ErrTTY, v.Width = true, 80 })
	end := s.Observer().Begin(i18n.M("Building image..."))
	w := s.LineWriter()
	detail := w.(interface{ Detail(string) }).Detail
	_, _ = w.Write([]byte("[1/2] RUN pip install\n"))
	detail("Collecting numpy")
	_, _ = w.Write([]byte("[2/2] COPY\n"))
	end(nil)
	shown := regexp.MustCompile(`\r\x1b\[K[^\n\r]*\r\x1b\[K`).ReplaceAllString(s.err.String(), "\r\x1b[K")
	stays := regexp.MustCompile(`[^\n]*\r\x1b\[K`).ReplaceAllString(shown, "")
	if want := "[1/2] RUN pip install\n[2/2] COPY\nBuilding image...\n"; stays != want || !strings.Contains(s.err.String(), "Building image... Collecting numpy") {
		t.Errorf("got %q, which leaves %q on the screen, want %q", s.err.String(), stays, want)
	}
	plain := newScreen(nil)
	plain.LineWriter().(interface{ Detail(string) }).Detail("Collecting numpy")
	if got, want := plain.err.String(), "Collecting numpy\n"; got != want {
		t.Errorf("without a terminal: got %q, want %q", got, want)
	}
}
