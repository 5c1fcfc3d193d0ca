package connect

import (
	"context"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// tokenMargin is how long a configured token must still hold, in seconds: the client asks for another one when less is
// left, and so do we.
const tokenMargin = 20 * 60

// computeAuth chooses what proves to the compute service who asks. What the Lithops configuration has comes first,
// because the client uses that too: the account in which it looks is the one to deploy to. The session's token follows,
// and only for the hosts of the service that is meant. hint is the remedy for a refusal.
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
		return transport.Auth{Token: constant(c.Token)}, source, nil
	case c.APIKey != "" && c.IAMAPIKey == "", c.APIKey != "" && p.oldClient():
		return transport.Auth{Basic: c.APIKey}, source, nil
	case c.IAMAPIKey != "":
		iam, err := p.iam()
		return transport.Auth{Token: transport.APIKeyToken(iam, c.IAMAPIKey, p.anonymous())}, source, err
	}
	session := p.o.Host.Session
	if session == nil {
		return transport.Auth{}, source, p.loggedIn()
	}
	if !p.ibm().has(p.target.Endpoint) {
		return transport.Auth{}, source, fault.New(fault.Denied,
			i18n.M("The endpoint {{.Endpoint}} does not belong to IBM Cloud Functions, so your session token is not sent to it.", "Endpoint", transport.ShownURL(p.target.Endpoint)),
			i18n.M("Set a key for it in the Lithops configuration."))
	}
	p.lend()
	return transport.Auth{Token: session.Token}, i18n.M("Log in again with 'ibmcloud login', or target another account with 'ibmcloud target'."), nil
}

// lend names a configuration that happened to lie in the working folder before the session's token is used with it: in
// a folder that somebody else wrote, it says for whom the token works.
func (p *opening) lend() {
	if o := p.o.Host.Observer; o != nil && p.config != nil && p.config.Nearby() && !p.lent {
		p.lent = true
		o.Warn(i18n.M("Your session token is used with the Lithops configuration {{.Source}}, which was found in the working directory.", "Source", p.source()))
	}
}

// loggedIn is the fault for a command that would work on IBM Cloud with neither a session nor credentials of its own.
// Nothing else that is missing matters before that.
func (p *opening) loggedIn() error {
	c := p.compute
	configured := c.APIKey != "" || c.IAMAPIKey != "" || c.Token != "" && c.TokenExpiry > time.Now().Unix()+tokenMargin
	if c.Backend == lithops.OpenWhisk || configured || p.o.Host.Session != nil {
		return nil
	}
	return fault.New(fault.NotLoggedIn, i18n.M("Not logged in."),
		i18n.M("Log in with 'ibmcloud login', or set 'iam_api_key' in section 'ibm' of the Lithops configuration."))
}

// oldClient reports whether the client is of a release that knows Cloud Foundry keys: they count before IAM keys there.
func (p *opening) oldClient() bool {
	return lithops.DefaultNamespace(p.install.Version, "region", "user") == ""
}

func (p *opening) source() string {
	if p.config == nil {
		return ""
	}
	return p.config.Source()
}

func constant(token string) transport.TokenFunc {
	return func(context.Context, bool) (string, error) { return token, nil }
}
