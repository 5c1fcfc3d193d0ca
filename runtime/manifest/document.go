package manifest

// Document is the structure of a file of 'apply' for encoding. It has the same keys as a file that is read.
type Document struct {
	Runtimes []Entry `yaml:"runtimes" json:"runtimes"`
}

// Entry is one runtime of a Document.
type Entry struct {
	Image   string  `yaml:"image" json:"image"`
	Memory  []int   `yaml:"memory,flow,omitempty" json:"memory,omitempty"` // MB
	CPU     float64 `yaml:"cpu,omitempty" json:"cpu,omitempty"`            // vCPU
	Timeout int     `yaml:"timeout,omitempty" json:"timeout,omitempty"`    // s
	Code    string  `yaml:"code,omitempty" json:"code,omitempty"`
	Pin     bool    `yaml:"pin,omitempty" json:"pin,omitempty"`
}

// Document returns the structure with which a file is written. It does not contain builds and regions.
func (f File) Document() Document {
	d := Document{Runtimes: []Entry{}}
	for _, rt := range f.Runtimes {
		d.Runtimes = append(d.Runtimes, Entry{rt.Image, rt.MemoryMB, float64(rt.MilliCPU) / 1000, rt.TimeoutS, rt.Code, rt.Pin})
	}
	return d
}
