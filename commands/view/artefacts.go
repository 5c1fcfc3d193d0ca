package view

import (
	"cmp"
	"fmt"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/text"
)

// BuiltDocument is the JSON of build.
type BuiltDocument struct {
	Image         string `json:"image"`
	ID            string `json:"id"`     // of the image on this machine
	Digest        string `json:"digest"` // in the registry; "" if the image was not pushed
	SizeBytes     int64  `json:"size_bytes"`
	PythonVersion string `json:"python_version"` // "" if the image was not checked
}

// Built shows the image that a build created. With Quiet it prints only the digest, or the ID of an image that was not
// pushed.
func (v *View) Built(b entity.ImageBuilt) error {
	if v.JSON {
		return v.Document(BuiltDocument{b.Image, b.ID, b.Digest, b.Size, b.Python})
	}
	if v.Quiet {
		fmt.Fprintln(v.Out, text.Printable(cmp.Or(b.Digest, b.ID)))
		return nil
	}
	v.ok()
	v.pairs([]pair{
		{i18n.M("Image"), paint(v.OutColor, entityName, text.Printable(b.Image))},
		{i18n.M("Digest"), text.Printable(b.Digest)},
		{i18n.M("ID"), text.Printable(b.ID)},
		{i18n.M("Size"), size(b.Size)},
		{i18n.M("Python"), text.Printable(b.Python)},
	})
	if b.Digest == "" {
		v.Print(i18n.M("The image is only on this machine."))
		v.Hint(i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Image}}'.", "Image", b.Image+" -b local")) // only the engine of this machine has the image
	} else {
		v.Hint(i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Image}}'.", "Image", b.Image))
	}
	return nil
}

// writtenDocument is the JSON of init.
type writtenDocument struct {
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
}

// Written shows the files of a skeleton. jobs is true for a skeleton for Code Engine.
func (v *View) Written(dir string, files []string, jobs bool) error {
	if v.JSON {
		return v.Document(writtenDocument{dir, append([]string{}, files...)})
	}
	if v.Quiet {
		return nil
	}
	v.ok()
	for _, f := range files {
		fmt.Fprintln(v.Out, "   "+text.Printable(f))
	}
	if jobs {
		dir += " -b code_engine"
	}
	v.Print(i18n.M("Add your packages to the requirements file, then run 'ibmcloud fn-runtime build IMAGE {{.Dir}}'.", "Dir", dir))
	return nil
}

// ConfigWritten reports that a Lithops configuration file was written. exports is the command that prints the
// environment variables that the client needs with this file, or "" if it needs none.
func (v *View) ConfigWritten(w runtime.ConfigWritten, exports string) error {
	if v.JSON {
		return v.Document(w)
	}
	if v.Quiet {
		return nil
	}
	v.ok()
	switch {
	case !w.Changed:
		v.Print(i18n.M("{{.File}} is already up to date.", "File", w.File))
	case w.Copy != "":
		v.Print(i18n.M("The Lithops configuration was written to {{.File}}. The previous file was saved as {{.Copy}}.", "File", w.File, "Copy", w.Copy))
	default:
		v.Print(i18n.M("The Lithops configuration was written to {{.File}}.", "File", w.File))
	}
	if exports != "" {
		v.Hint(i18n.M("Run the output of 'ibmcloud fn-runtime {{.Command}}' in your shell.", "Command", exports))
	}
	return nil
}

// VersionDocument is the JSON of version.
type VersionDocument struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Go       string `json:"go_version"`
	Platform string `json:"platform"`
	Licenses string `json:"licenses,omitempty"` // of all linked modules, with --licenses
}

// Version shows the version of the plug-in.
func (v *View) Version(d VersionDocument) error {
	if v.JSON {
		return v.Document(d)
	}
	v.Print(i18n.M("{{.Name}} version {{.Version}} ({{.Go}}, {{.Platform}})", "Name", d.Name, "Version", d.Version, "Go", d.Go, "Platform", d.Platform))
	return nil
}
