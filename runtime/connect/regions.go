package connect

import (
	"fn-runtime/runtime/lithops"
)

// Regions returns those of the backend that a command would work on: the one that is named, else that of the Lithops
// configuration, else ibm_cf. Nothing is dialled.
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
