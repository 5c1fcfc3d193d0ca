package codeengine

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// resourceName matches the resource names that the service allows. Names of jobs and runs have no dots. Other names
// could change the meaning of a path.
var resourceName = text.NewPattern(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

const maxResourceName = 253

func checkName(name string) error {
	if len(name) <= maxResourceName && resourceName.MatchString(name) {
		return nil
	}
	return fault.New(fault.Invalid,
		i18n.M("{{.Name}} is not a valid Code Engine name.", "Name", text.Line(name, 100)),
		i18n.M("Use only lowercase letters, digits, dots and hyphens."))
}
