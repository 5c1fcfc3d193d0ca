package connect

import (
	"context"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// tokenMargin is the minimum remaining validity of a configured token, in seconds. The client requests a new token if
// less is left, and so does this program.
const tokenMargin = 20 * 60

// computeAuth selects the credentials for the compute service. Credentials of the Lithops configuration have priority
// because the client uses them too, so runtimes are deployed to the account in which the client looks for them. The
// token of the session is the fallback, and is sent to hosts of the selected service only. hint is the remedy for
// denied requests.
func (p *opening) computeAuth() (transport.Auth, i18n.Message, error) {
	c := p.compute
	source := i18n.M("Check the keys in the Lithops configuration {{.Source}}.", "Source", p.source())
	if c.Backend == lithops.OpenWhisk {
		if c.APIKey == "" {
			return transport.Auth{}, source, c.Validate(p.install.Version)
		}
		return transport.Auth{Basic: c.APIKey}, source, nil
	}
	switch {
	case c.Token != "" && c.TokenExpiry > time.Now().Unix()+tokenMargin:
		return transport.Auth{Token: staticToken(c.Token)}, source, nil
	case c.APIKey != "" && c.IAMAPIKey == "", c.APIKey != "" && p.prefersCFKeys():
		return transport.Auth{Basic: c.APIKey}, source, nil
	case c.IAMAPIKey != "":
		iam, err := p.iam()
		return transport.Auth{Token: transport.APIKeyToken(iam, c.IAMAPIKey, p.anonymous())}, source, err
	}
	session := p.o.Host.Session
	if session == nil {
		return transport.Auth{}, source, p.checkLogin()
	}
	if !p.service().has(p.target.Endpoint) {
		return transport.Auth{}, source, fault.New(fault.Denied,
			i18n.M("The endpoint {{.Endpoint}} does not belong to IBM Cloud Functions, so your session token is not sent to it.", "Endpoint", transport.ShownURL(p.target.Endpoint)),
			i18n.M("Set a key for it in the Lithops configuration."))
	}
	p.warnAboutSessionToken()
	return transport.Auth{Token: session.Token}, i18n.M("Log in again with 'ibmcloud login', or target another account with 'ibmcloud target'."), nil
}

// warnAboutSessionToken warns that the session token is used with a configuration that was found in the working
// directory. If another user wrote this directory, the configuration may use the token for the purposes of that user.
func (p *opening) warnAboutSessionToken() {
	if o := p.o.Host.Observer; o != nil && p.config != nil && p.config.InWorkDir() && !p.tokenWarned {
		p.tokenWarned = true
		o.Warn(i18n.M("Your session token is used with the Lithops configuration {{.Source}}, which was found in the working directory.", "Source", p.source()))
	}
}

// checkLogin returns an error if the command needs IBM Cloud but there are neither a session nor configured
// credentials. It is checked first because other missing settings do not matter until the user logs in.
func (p *opening) checkLogin() error {
	c := p.compute
	configured := c.APIKey != "" || c.IAMAPIKey != "" || c.Token != "" && c.TokenExpiry > time.Now().Unix()+tokenMargin
	if c.Backend == lithops.OpenWhisk || configured || p.o.Host.Session != nil {
		return nil
	}
	return fault.New(fault.NotLoggedIn, i18n.M("Not logged in."),
		i18n.M("Log in with 'ibmcloud login', or set 'iam_api_key' in section 'ibm' of the Lithops configuration."))
}

// prefersCFKeys reports whether the release of the client supports Cloud Foundry keys. Such a release prefers them to
// IAM keys.
func (p *opening) prefersCFKeys() bool {
	return lithops.DefaultNamespace(p.install.Version, "region", "user") == ""
}

func (p *opening) source() string {
	if p.config == nil {
		return ""
	}
	return p.config.Source()
}

func staticToken(token string) transport.TokenFunc {
	return func(context.Context, bool) (string, error) { return token, nil }
}
