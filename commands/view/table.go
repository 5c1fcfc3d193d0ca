package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"fn-runtime/i18n"
)

// table is a table with a bold header. The first column is the name and has the style of an entity. If the terminal is
// too narrow for a row, the table first omits the default registry docker.io from the names, and then wraps the names,
// so that no part of a name is lost. Without a terminal nothing wraps.
type table struct {
	header []i18n.Message
	rows   [][]string
	// prose is true if the last column holds sentences. If the terminal is too narrow, they are written below their
	// rows.
	prose bool
}

// gap separates columns. It is two spaces wide, so that a typical list fits 80 columns.
const gap = "  "

// minName is the minimum width of the name column. If the terminal is too narrow for this width, the table is written
// as stacked rows.
const minName = 16

// table writes a table to Out.
func (v *View) table(t table) {
	var below []string
	if t.prose && v.OutTTY && v.Width > 0 && t.totalWidth(v) > v.Width {
		last := len(t.header) - 1
		t.header = t.header[:last]
		rows := make([][]string, len(t.rows))
		for i, row := range t.rows {
			rows[i] = row[:last]
			below = append(below, row[last])
		}
		t.rows = rows
	}
	if v.OutTTY && v.Width > 0 && t.totalWidth(v) > v.Width {
		if short := t.withoutRegistry(); short.totalWidth(v) <= v.Width {
			t = short
		}
	}
	widths := make([]int, len(t.header))
	head := make([]string, len(t.header))
	for i, h := range t.header {
		head[i] = v.plain(h)
		widths[i] = displayWidth(head[i])
	}
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	if v.OutTTY && v.Width > 0 {
		rest := 0
		for _, w := range widths[1:] {
			rest += w + len(gap)
		}
		if widths[0] > v.Width-rest && v.Width-rest < minName {
			v.stackedRows(t.rows, below)
			return
		}
		widths[0] = min(widths[0], v.Width-rest)
	}
	v.row(head, widths, bold, bold)
	for i, row := range t.rows {
		v.row(row, widths, entityName, plain)
		if below != nil && below[i] != "" {
			v.out().paragraph(below[i], "   ", "   ")
		}
	}
}

// withoutRegistry returns the table without the default registry in the names.
func (t table) withoutRegistry() table {
	rows := make([][]string, len(t.rows))
	for i, row := range t.rows {
		rows[i] = append([]string{strings.TrimPrefix(row[0], "docker.io/")}, row[1:]...)
	}
	t.rows = rows
	return t
}

// dropEmpty removes the columns that are empty in all rows.
func (t *table) dropEmpty() {
	for i := len(t.header) - 1; i > 0; i-- {
		if !slices.ContainsFunc(t.rows, func(row []string) bool { return row[i] != "" }) {
			t.header = slices.Delete(t.header, i, i+1)
			for n, row := range t.rows {
				t.rows[n] = slices.Delete(row, i, i+1)
			}
		}
	}
}

// stackedRows writes the cells of each row below each other, for a terminal that is too narrow for columns.
func (v *View) stackedRows(rows [][]string, below []string) {
	for i, row := range rows {
		for _, part := range wrap(row[0], v.Width) {
			fmt.Fprintln(v.Out, paint(v.OutColor, entityName, part))
		}
		rest := slices.DeleteFunc(slices.Clone(row[1:]), func(cell string) bool { return cell == "" })
		v.out().paragraph(strings.Join(rest, ", "), "   ", "   ")
		if below != nil && below[i] != "" {
			v.out().paragraph(below[i], "   ", "   ")
		}
	}
}

// totalWidth returns the width of the table without wrapping.
func (t table) totalWidth(v *View) int {
	sum := 0
	for i, h := range t.header {
		w := displayWidth(v.plain(h))
		for _, row := range t.rows {
			w = max(w, displayWidth(row[i]))
		}
		sum += w + len(gap)
	}
	return sum - len(gap)
}

// row writes one row. The first cell continues on further lines if it is wider than its column.
func (v *View) row(cells []string, widths []int, first, others style) {
	parts := wrap(cells[0], widths[0])
	for n, part := range parts {
		var b strings.Builder
		b.WriteString(paint(v.OutColor, first, part))
		if n == 0 {
			written := displayWidth(part)
			for i := 1; i < len(cells); i++ {
				if strings.Join(cells[i:], "") == "" {
					break
				}
				b.WriteString(strings.Repeat(" ", widths[i-1]-written) + gap)
				b.WriteString(paint(v.OutColor, others, cells[i]))
				written = displayWidth(cells[i])
			}
		}
		fmt.Fprintln(v.Out, b.String())
	}
}

// wrap splits s into parts of at most width columns. If the second half of a part contains a '/', ':', '-', '_' or ' ',
// the part ends after that character.
func wrap(s string, width int) []string {
	var parts []string
	for runewidth.StringWidth(s) > width {
		part := runewidth.Truncate(s, width, "")
		if part == "" {
			break
		}
		if i := strings.LastIndexAny(part, "/:-_ "); i >= len(part)/2 {
			part = part[:i+1]
		}
		parts = append(parts, strings.TrimRight(part, " "))
		s = s[len(part):]
	}
	return append(parts, s)
}

// displayWidth returns the width of text on the screen in columns. Colors do not count.
func displayWidth(s string) int { return runewidth.StringWidth(stripColors(s)) }

// stripColors removes the colors that this package has added.
func stripColors(s string) string {
	var b strings.Builder
	for {
		start := strings.Index(s, "\x1b[")
		if start < 0 {
			break
		}
		end := strings.IndexByte(s[start:], 'm')
		if end < 0 {
			break
		}
		b.WriteString(s[:start])
		s = s[start+end+1:]
	}
	b.WriteString(s)
	return b.String()
}

// pair is a label and its value.
type pair struct {
	label i18n.Message
	value string
}

// pairs writes labels and values in two columns. It omits empty values.
func (v *View) pairs(list []pair) {
	width := 0
	for _, p := range list {
		if p.value != "" {
			width = max(width, displayWidth(v.plain(p.label)))
		}
	}
	for _, p := range list {
		if p.value == "" {
			continue
		}
		label := v.plain(p.label)
		pad := strings.Repeat(" ", width-displayWidth(label))
		v.out().paragraph(p.value, paint(v.OutColor, bold, label)+pad+gap, strings.Repeat(" ", width)+gap)
	}
}
