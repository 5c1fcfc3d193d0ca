package connect

import (
	"fn-runtime/runtime/lithops"
)

// Regions returns the regions of the backend that a command would use: the backend of the options, otherwise of the
// Lithops configuration, otherwise ibm_cf. It sends no requests.
func Regions(o Options) []string {
	backend := o.Backend
	if backend == "" {
		h := o.Host
		config, err := lithops.Load(lithops.LoadOptions{File: o.ConfigFile, Getenv: h.Getenv, Home: h.Home, WorkDir: h.WorkDir, Pipes: h.Pipes})
		if err == nil {
			backend, _ = config.Backend()
		}
	}
	if regions := lithops.Regions(lithops.Backend(backend)); len(regions) > 0 {
		return regions
	}
	return lithops.Regions(lithops.IBMCF)
}
