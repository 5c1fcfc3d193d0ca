package view

// Region is the outcome of a command with --regions in one region.
type Region struct {
	Name string
	Err  error // nil if the command succeeded in the region
}

// RegionDocument is one entry of "regions" in JSON.
type RegionDocument struct {
	Region string         `json:"region"`
	OK     bool           `json:"ok"`
	Error  *ErrorDocument `json:"error,omitempty"`
}

func (v *View) regionDocuments(list []Region) []RegionDocument {
	var docs []RegionDocument
	for _, r := range list {
		d := RegionDocument{Region: r.Name, OK: r.Err == nil}
		if r.Err != nil {
			e := v.errorDocument(r.Err)
			d.Error = &e
		}
		docs = append(docs, d)
	}
	return docs
}
