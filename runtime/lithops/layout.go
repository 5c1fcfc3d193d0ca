package lithops

// layout is where one line of releases puts its version into the names it makes. There are three:
//
//	2.2 - 2.6    lithops_v{v}_{user}  {img}_{mem}MB      lithops.runtimes/{v}/{backend}/...
//	2.7          lithops_v{v}_{user}  {img}_{mem}MB      lithops.runtimes/{backend}/{v}/...
//	2.8 and on   lithops_{user}       {img}_{mem}MB_{v}  lithops.runtimes/{backend}/{v}/...
//
// Read from ibm_cf.py, openwhisk.py and storage.py of every release from 2.2.0 to 3.8.0.
type layout struct {
	VersionInPackage     bool // else it is in the action's name
	VersionBeforeBackend bool // in the metadata key, else behind it
}

// layoutOf returns the layout of a Lithops version; one that is not known yet has the newest.
func layoutOf(version string) layout {
	r := parseRelease(version)
	return layout{
		VersionInPackage:     r.before(2, 8, 0),
		VersionBeforeBackend: r.before(2, 7, 0),
	}
}
