package view

import (
	"fmt"
	"strings"

	"fn-runtime/i18n"
)

// Help is the help of a command in the form of the IBM Cloud CLI guide.
type Help struct {
	Name     string   // "deploy"; "fn-runtime" for the whole
	Aliases  []string // "ls"
	Short    i18n.Message
	Long     i18n.Message // may be empty
	Usage    []string     // "ibmcloud fn-runtime deploy (default | IMAGE[:TAG]) [-f, --force]"
	Examples []Example
	Commands []Entry
	Options  []Entry
	Common   []Entry // options that most commands have
	// Variables are those of the environment.
	Variables []Entry
}

// Entry is a term and what it means.
type Entry struct {
	Term    string
	Meaning i18n.Message
}

// Example is a command that can be run as it stands.
type Example struct {
	Meaning i18n.Message
	Command string // without the name of the program
}

// helpWidth is how wide help is written where there is no terminal.
const helpWidth = 80

// Help writes help to Out, or, behind an error, to Err.
func (v *View) Help(h Help, behindError bool) {
	w, colour, width := v.Out, v.OutColour, helpWidth
	if behindError {
		w, colour = v.Err, v.ErrColour
	}
	if v.Width > 0 {
		width = min(max(v.Width, 40), 120)
	}
	p := page{w: w, colour: colour, width: width}
	p.head(v.Texts.Say(i18n.M("NAME:")))
	p.paragraph(strings.Join(append([]string{h.Name}, h.Aliases...), ", ")+" - "+v.plain(h.Short), "   ", "   ")
	if len(h.Usage) > 0 {
		p.head("", v.Texts.Say(i18n.M("USAGE:")))
	}
	for _, u := range h.Usage {
		p.paragraph(v.program(u), "   ", "     ")
	}
	if !h.Long.IsZero() {
		fmt.Fprintln(w)
		for para := range strings.SplitSeq(v.render(h.Long, colour, true), "\n") {
			p.paragraph(para, "   ", "   ")
		}
	}
	for i, e := range h.Examples {
		if i == 0 {
			p.head("", v.Texts.Say(i18n.M("EXAMPLES:")))
		}
		p.paragraph(fmt.Sprintf("%d. %s", i+1, v.plain(e.Meaning)), "   ", "      ")
		p.line("      " + paint(colour, command, v.program(cliProgram+" "+e.Command)))
	}
	p.entries(v, i18n.M("COMMANDS:"), h.Commands)
	p.entries(v, i18n.M("OPTIONS:"), h.Options)
	p.entries(v, i18n.M("COMMON OPTIONS:"), h.Common)
	p.entries(v, i18n.M("ENVIRONMENT VARIABLES:"), h.Variables)
}

// Called returns how this program was called.
func (v *View) Called() string { return v.program(cliProgram) }

// program puts the name of the program as it was called.
func (v *View) program(s string) string {
	if rest, ok := strings.CutPrefix(s, cliProgram); ok && v.Program != "" {
		return v.Program + rest
	}
	return s
}

func (p page) head(words ...string) {
	for _, s := range words {
		p.line(paint(p.colour, bold, s))
	}
}

// entries writes terms and meanings in two columns; a long term has its meaning on the next line.
func (p page) entries(v *View, head i18n.Message, list []Entry) {
	if len(list) == 0 {
		return
	}
	p.head("", v.Texts.Say(head))
	const widest = 30
	column := 0
	for _, e := range list {
		if w := printed(e.Term); w <= widest {
			column = max(column, w)
		}
	}
	indent := strings.Repeat(" ", 3+column+3)
	for _, e := range list {
		first := "   " + e.Term
		if w := printed(e.Term); w > column {
			p.line(first)
			first = indent
		} else {
			first += strings.Repeat(" ", column-w+3)
		}
		// backquotes name the value of a flag, for programs
		p.paragraph(strings.ReplaceAll(v.render(e.Meaning, p.colour, false), "`", ""), first, indent)
	}
}
