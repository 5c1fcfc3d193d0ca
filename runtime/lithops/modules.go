package lithops

// RequiredModules lists the modules that must be importable in a runtime for a Lithops worker of this version to
// start and to reach its storage, by the names they are imported under. Found by importing each release's
// entry_point.py as __main__ with one module after the other missing.
func RequiredModules(version, storageBackend string) []string {
	r := parseRelease(version)
	modules := []string{"pika", "requests", "six"}
	if r.before(2, 5, 2) { // later ones do without
		modules = append(modules, "numpy")
	}
	if !r.before(2, 2, 15) {
		modules = append(modules, "ps_mem", "tblib")
	}
	if !r.before(2, 3, 2) {
		modules = append(modules, "cloudpickle")
	}
	if !r.before(3, 1, 2) {
		modules = append(modules, "psutil")
	}
	switch storageBackend {
	case IBMCOS:
		modules = append(modules, "ibm_boto3", "ibm_botocore")
		if !r.before(3, 0, 0) {
			modules = append(modules, "ibm_cloud_sdk_core", "yaml")
		}
	case AWSS3, Minio, ceph:
		modules = append(modules, "boto3", "botocore")
	}
	return modules
}
