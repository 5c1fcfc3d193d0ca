package connect

import (
	"context"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/openwhisk"
	"fn-runtime/runtime/text"
)

// userKeyVariable is the environment variable for the user part of package names. It overrides the configuration, and
// the flag overrides it.
const userKeyVariable = "FN_RUNTIME_USER_KEY"

var userKeyPattern = text.NewPattern(`^[A-Za-z0-9_@.&-]{1,64}$`)

// userKey returns the user part of package names and its source: the flag, the environment, or the API key of the
// Lithops configuration. If all of them are missing, the caller uses userKeyFromPackages.
func (p *opening) userKey() (key string, from i18n.Message, err error) {
	given, from := p.o.UserKey, i18n.M("the option '--user-key'")
	if given == "" {
		given, from = p.o.Host.Getenv(userKeyVariable), i18n.M("the environment variable {{.Name}}", "Name", userKeyVariable)
	}
	if given != "" {
		if !userKeyPattern.MatchString(given) {
			return "", i18n.Message{}, fault.New(fault.Usage, i18n.M("'{{.Key}}' cannot be part of a runtime name.", "Key", given),
				i18n.M("Set '--user-key' to the first characters of the API key that the Lithops client uses."))
		}
		if p.compute.Backend == lithops.CodeEngine {
			given = lithops.JobUserKey(given)
		}
		return given, from, nil
	}
	key, err = lithops.UserKey(p.compute.Backend, p.install.Version, p.compute)
	if p.target.Backend == runtime.BackendLocal {
		return key, i18n.M("the local endpoint"), err
	}
	return key, i18n.M("the Lithops configuration"), err
}

// userKeyFromPackages sets the user part if all Lithops packages in the namespace have the same one. Otherwise it
// returns an error that explains how to specify it.
func (p *opening) userKeyFromPackages(ctx context.Context, client *openwhisk.Client) error {
	remedy := i18n.M("Set 'iam_api_key' in section 'ibm' of the Lithops configuration, or set '--user-key' or {{.Variable}} to its first characters.", "Variable", userKeyVariable)
	keys := map[string]string{}
	err := client.Find(ctx)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err == nil {
		for pkg, err := range client.Packages(ctx) {
			if err != nil {
				return err
			}
			if key, ok := lithops.PackageUserKey(pkg.Name); ok {
				keys[key] = pkg.Name
			}
		}
	}
	switch len(keys) {
	case 0:
		return fault.New(fault.Invalid,
			i18n.M("Package names contain the first characters of the API key that the Lithops client uses, but this key is unknown."), remedy)
	case 1:
		for key, pkg := range keys {
			p.contract.UserKey, p.target.UserKeyFrom = key, i18n.M("the existing package {{.Name}}", "Name", pkg)
			if o := p.o.Host.Observer; o != nil {
				o.Note(i18n.M("The user part of package names is taken from the existing package {{.Package}}.", "Package", pkg))
			}
		}
		return nil
	}
	names := make([]string, 0, len(keys))
	for _, pkg := range keys {
		names = append(names, pkg)
	}
	return fault.New(fault.Invalid,
		i18n.M("The namespace contains Lithops packages for several API keys: {{.Packages}}.", "Packages", strings.Join(names, ", ")), remedy)
}
