package view

import "fn-runtime/i18n"

// dashboardDocument is the JSON of dashboard.
type dashboardDocument struct {
	Address string `json:"address"` // "" with --save
	File    string `json:"file"`    // written by --save
}

// Dashboard shows the address of the page.
func (v *View) Dashboard(address string) error {
	if v.JSON {
		return v.Document(dashboardDocument{Address: address})
	}
	v.endProgress()
	v.Print(i18n.M("The dashboard is at {{.Address}} until you press Ctrl-C. The address is valid for one use.", "Address", address))
	return nil
}

// Timeline reports the file in which a timeline was saved.
func (v *View) Timeline(file string) error {
	if v.JSON {
		return v.Document(dashboardDocument{File: file})
	}
	v.ok(i18n.M("The timeline was saved to {{.File}}.", "File", file))
	return nil
}
