package connect

import (
	"net/url"
	"strings"
)

// ibmService identifies a service of IBM Cloud.
type ibmService string

const (
	cloudFunctions     ibmService = "functions"
	codeEngine         ibmService = "codeengine"
	objectStorage      ibmService = "cloud-object-storage"
	identity           ibmService = "iam"
	resourceController ibmService = "resource-controller"
)

// hosts holds the host names of a service. REGION is a placeholder for the region.
type hosts struct {
	public, private string   // private replaces public if the session uses private endpoints
	others          []string // additional names inside the network of IBM Cloud
}

// services lists the IBM Cloud hosts that may receive the token of a session. A request to a service carries the token
// only if its host is in the entry of that service. The list contains complete host names instead of domains, because
// customers own host names in the domains of IBM Cloud, for example those of applications and clusters.
var services = map[ibmService]hosts{
	cloudFunctions:     {"REGION.functions.cloud.ibm.com", "private.REGION.functions.cloud.ibm.com", []string{"REGION.functions.private.cloud.ibm.com"}},
	codeEngine:         {"api.REGION.codeengine.cloud.ibm.com", "api.private.REGION.codeengine.cloud.ibm.com", nil},
	objectStorage:      {"s3.REGION.cloud-object-storage.appdomain.cloud", "s3.private.REGION.cloud-object-storage.appdomain.cloud", []string{"s3.direct.REGION.cloud-object-storage.appdomain.cloud"}},
	identity:           {"iam.cloud.ibm.com", "private.iam.cloud.ibm.com", []string{"iam.private.cloud.ibm.com", "private.REGION.iam.cloud.ibm.com"}},
	resourceController: {"resource-controller.cloud.ibm.com", "private.resource-controller.cloud.ibm.com", []string{"private.REGION.resource-controller.cloud.ibm.com"}},
}

// has reports whether an endpoint belongs to the service, uses TLS and has the default port.
func (s ibmService) has(endpoint string) bool {
	_, ok := s.privateURL(endpoint)
	return ok
}

// privateURL returns the private URL for an endpoint of the service. ok is false for any other endpoint.
func (s ibmService) privateURL(endpoint string) (private string, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" {
		return "", false
	}
	known, host := services[s], strings.ToLower(u.Hostname())
	if region, ok := matchHost(host, known.public); ok {
		u.Host = strings.Replace(known.private, "REGION", region, 1)
		return u.String(), true
	}
	for _, name := range append([]string{known.private}, known.others...) {
		if _, ok := matchHost(host, name); ok {
			return endpoint, true
		}
	}
	return "", false
}

// matchHost reports whether a host matches a name of a service, and returns its region.
func matchHost(host, name string) (region string, ok bool) {
	before, after, regional := strings.Cut(name, "REGION")
	if !regional {
		return "", host == name
	}
	region, begins := strings.CutPrefix(host, before)
	region, ends := strings.CutSuffix(region, after)
	return region, begins && ends && region != "" && strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isIBMCloud reports whether an endpoint belongs to any service of IBM Cloud.
func isIBMCloud(endpoint string) bool {
	for s := range services {
		if s.has(endpoint) {
			return true
		}
	}
	return false
}
