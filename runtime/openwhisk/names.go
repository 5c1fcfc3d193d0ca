package openwhisk

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// entityName matches the names that OpenWhisk allows (EntityName), up to 256 characters. Other names could change the
// meaning of a path.
var entityName = text.NewPattern(`^[\w]([\w@ .&-]*[\w@.&-])?$`)

const maxEntityName = 256

func checkName(kind, name string) error {
	if len(name) <= maxEntityName && entityName.MatchString(name) {
		return nil
	}
	return fault.New(fault.Invalid,
		i18n.M("The compute service does not accept the name of {{.Subject}}.", "Subject", subject{kind: kind, name: text.Line(name, 100)}.message()),
		i18n.M("Use a name of up to 256 letters, digits and the characters _ @ . & -."))
}

func checkNames(pkg, action string) error {
	if err := checkName("package", pkg); err != nil {
		return err
	}
	return checkName("action", action)
}
