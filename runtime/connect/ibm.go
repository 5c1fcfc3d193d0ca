package connect

import (
	"net/url"
	"strings"
)

// ibmService names a service of IBM Cloud.
type ibmService string

const (
	cloudFunctions     ibmService = "functions"
	codeEngine         ibmService = "codeengine"
	objectStorage      ibmService = "cloud-object-storage"
	identity           ibmService = "iam"
	resourceController ibmService = "resource-controller"
)

// hosts are the names of a service; REGION stands for one label.
type hosts struct {
	public, private string   // private takes the place of public where the session is set to private endpoints
	others          []string // that it answers to as well, inside IBM Cloud's network
}

// services are the hosts of IBM Cloud that a session's token may go to, each service its own. They are whole names:
// below IBM Cloud's domains there are names that tenants own, such as those of applications and of clusters.
var services = map[ibmService]hosts{
	cloudFunctions:     {"REGION.functions.cloud.ibm.com", "private.REGION.functions.cloud.ibm.com", []string{"REGION.functions.private.cloud.ibm.com"}},
	codeEngine:         {"api.REGION.codeengine.cloud.ibm.com", "api.private.REGION.codeengine.cloud.ibm.com", nil},
	objectStorage:      {"s3.REGION.cloud-object-storage.appdomain.cloud", "s3.private.REGION.cloud-object-storage.appdomain.cloud", []string{"s3.direct.REGION.cloud-object-storage.appdomain.cloud"}},
	identity:           {"iam.cloud.ibm.com", "private.iam.cloud.ibm.com", []string{"iam.private.cloud.ibm.com", "private.REGION.iam.cloud.ibm.com"}},
	resourceController: {"resource-controller.cloud.ibm.com", "private.resource-controller.cloud.ibm.com", []string{"private.REGION.resource-controller.cloud.ibm.com"}},
}

// has reports whether an endpoint is one of the service's, over TLS and on its usual port.
func (s ibmService) has(endpoint string) bool {
	_, ok := s.privately(endpoint)
	return ok
}

// privately returns the private name of an endpoint of the service; not ok for any other endpoint.
func (s ibmService) privately(endpoint string) (private string, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" {
		return "", false
	}
	known, host := services[s], strings.ToLower(u.Hostname())
	if region, ok := matches(host, known.public); ok {
		u.Host = strings.Replace(known.private, "REGION", region, 1)
		return u.String(), true
	}
	for _, name := range append([]string{known.private}, known.others...) {
		if _, ok := matches(host, name); ok {
			return endpoint, true
		}
	}
	return "", false
}

// matches reports whether a host has a name of a service, and gives its region.
func matches(host, name string) (region string, ok bool) {
	before, after, regional := strings.Cut(name, "REGION")
	if !regional {
		return "", host == name
	}
	region, begins := strings.CutPrefix(host, before)
	region, ends := strings.CutSuffix(region, after)
	return region, begins && ends && region != "" && strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// ofIBM reports whether an endpoint is that of any service of IBM Cloud.
func ofIBM(endpoint string) bool {
	for s := range services {
		if s.has(endpoint) {
			return true
		}
	}
	return false
}
