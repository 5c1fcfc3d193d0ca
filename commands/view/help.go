package view

import (
	"fmt"
	"strings"

	"fn-runtime/i18n"
)

// Help is the help of a command in the format of the IBM Cloud CLI guide.
type Help struct {
	Name     string   // such as "deploy"; "fn-runtime" for the root command
	Aliases  []string // such as "ls"
	Short    i18n.Message
	Long     i18n.Message // may be empty
	Usage    []string     // such as "ibmcloud fn-runtime deploy (default | IMAGE[:TAG]) [-f, --force]"
	Examples []Example
	Commands []Entry
	Options  []Entry
	Common   []Entry // options that most commands have
	// Variables lists environment variables.
	Variables []Entry
}

// Entry is a term and its description.
type Entry struct {
	Term    string
	Meaning i18n.Message
}

// Example is a complete command line and its description.
type Example struct {
	Meaning i18n.Message
	Command string // without the name of the program
}

// helpWidth is the width of help without a terminal.
const helpWidth = 80

// Help writes help to Out, or to Err if it follows an error.
func (v *View) Help(h Help, afterError bool) {
	w, color, width := v.Out, v.OutColor, helpWidth
	if afterError {
		w, color = v.Err, v.ErrColor
	}
	if v.Width > 0 {
		width = min(max(v.Width, 40), 120)
	}
	p := proseWriter{w: w, color: color, width: width}
	p.heading(v.Texts.Translate(i18n.M("NAME:")))
	p.paragraph(strings.Join(append([]string{h.Name}, h.Aliases...), ", ")+" - "+v.plain(h.Short), "   ", "   ")
	if len(h.Usage) > 0 {
		p.heading("", v.Texts.Translate(i18n.M("USAGE:")))
	}
	for _, u := range h.Usage {
		p.paragraph(v.replaceProgram(u), "   ", "     ")
	}
	if !h.Long.IsZero() {
		fmt.Fprintln(w)
		for para := range strings.SplitSeq(v.render(h.Long, color, true), "\n") {
			p.paragraph(para, "   ", "   ")
		}
	}
	for i, e := range h.Examples {
		if i == 0 {
			p.heading("", v.Texts.Translate(i18n.M("EXAMPLES:")))
		}
		p.paragraph(fmt.Sprintf("%d. %s", i+1, v.plain(e.Meaning)), "   ", "      ")
		p.line("      " + paint(color, command, v.replaceProgram(cliProgram+" "+e.Command)))
	}
	p.entries(v, i18n.M("COMMANDS:"), h.Commands)
	p.entries(v, i18n.M("OPTIONS:"), h.Options)
	p.entries(v, i18n.M("COMMON OPTIONS:"), h.Common)
	p.entries(v, i18n.M("ENVIRONMENT VARIABLES:"), h.Variables)
}

// ProgramName returns the command with which the user called this program.
func (v *View) ProgramName() string { return v.replaceProgram(cliProgram) }

// replaceProgram replaces the name of the program at the start of s by the command that the user typed.
func (v *View) replaceProgram(s string) string {
	if rest, ok := strings.CutPrefix(s, cliProgram); ok && v.Program != "" {
		return v.Program + rest
	}
	return s
}

func (p proseWriter) heading(words ...string) {
	for _, s := range words {
		p.line(paint(p.color, bold, s))
	}
}

// entries writes terms and descriptions in two columns. The description of a long term starts on the next line.
func (p proseWriter) entries(v *View, head i18n.Message, list []Entry) {
	if len(list) == 0 {
		return
	}
	p.heading("", v.Texts.Translate(head))
	const widest = 30
	column := 0
	for _, e := range list {
		if w := displayWidth(e.Term); w <= widest {
			column = max(column, w)
		}
	}
	indent := strings.Repeat(" ", 3+column+3)
	for _, e := range list {
		first := "   " + e.Term
		if w := displayWidth(e.Term); w > column {
			p.line(first)
			first = indent
		} else {
			first += strings.Repeat(" ", column-w+3)
		}
		// Backquotes mark the name of a flag's value for pflag. Help shows the text without them.
		p.paragraph(strings.ReplaceAll(v.render(e.Meaning, p.color, false), "`", ""), first, indent)
	}
}
