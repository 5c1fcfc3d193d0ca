package lithops

// layout defines where a range of releases puts the version into names. There are three layouts:
//
//	2.2 - 2.6    lithops_v{v}_{user}  {img}_{mem}MB      lithops.runtimes/{v}/{backend}/...
//	2.7          lithops_v{v}_{user}  {img}_{mem}MB      lithops.runtimes/{backend}/{v}/...
//	since 2.8    lithops_{user}       {img}_{mem}MB_{v}  lithops.runtimes/{backend}/{v}/...
//
// Source: ibm_cf.py, openwhisk.py and storage.py of every release from 2.2.0 to 3.8.0.
type layout struct {
	VersionInPackage     bool // otherwise in the action name
	VersionBeforeBackend bool // in the metadata key; otherwise after the backend
}

// layoutOf returns the layout of a Lithops version. Unknown versions have the newest layout.
func layoutOf(version string) layout {
	r := parseRelease(version)
	return layout{
		VersionInPackage:     r.before(2, 8, 0),
		VersionBeforeBackend: r.before(2, 7, 0),
	}
}
