package connect

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/storage"
	"fn-runtime/runtime/transport"
)

// openStore creates the client for the bucket of the Lithops configuration or of the local endpoint.
func (p *opening) openStore() error {
	if p.config != nil {
		st, err := p.config.Storage(p.compute, p.install)
		if err != nil {
			return err
		}
		p.storage = st
		if o := p.o.Host.Observer; o != nil {
			for _, ignored := range p.config.IgnoredKeys(p.install) {
				o.Warn(ignored)
			}
			if refusal := p.config.Rejection(p.compute.Backend, p.install); !refusal.IsZero() {
				o.Warn(refusal)
			}
		}
	}
	st := &p.storage
	if p.o.Bucket != "" {
		st.Bucket = p.o.Bucket
	}
	session := p.o.Host.Session
	hmac := st.AccessKeyID != "" && st.SecretAccessKey != ""
	useSession := st.Backend == lithops.IBMCOS && !hmac && st.APIKey == "" && st.IAMAPIKey == "" && session != nil && objectStorage.has(st.Endpoint)
	if err := st.Validate(); err != nil && !(useSession && st.Bucket != "") {
		return err
	}
	endpoint, err := p.privateEndpoint(st.Endpoint, objectStorage)
	if err == nil {
		err = validateEndpoint(endpoint, i18n.M("storage"))
	}
	if err != nil {
		return err
	}
	p.target.Bucket = st.Bucket
	o := storage.Options{
		Endpoint: endpoint, Region: st.Region, Bucket: st.Bucket, ServiceInstanceID: st.ServiceInstanceID,
		LoginHint: i18n.M("Check the keys in section '{{.Section}}' of the Lithops configuration {{.Source}}.", "Section", st.Backend, "Source", p.source()),
	}
	if st.Backend == lithops.AWSS3 && st.Region != "us-east-1" {
		o.Location = st.Region
	}
	auth, origin := transport.Auth{}, ""
	switch {
	case hmac:
		o.AccessKeyID, o.SecretAccessKey, o.SessionToken = st.AccessKeyID, st.SecretAccessKey, st.SessionToken
	case useSession:
		p.warnAboutSessionToken()
		auth, origin = transport.Auth{Token: session.Token}, endpoint
		o.LoginHint = i18n.M("Log in again with 'ibmcloud login'.")
	default:
		key := st.APIKey
		if key == "" {
			key = st.IAMAPIKey
		}
		iam, err := p.iam()
		if err != nil {
			return err
		}
		auth, origin = transport.Auth{Token: transport.APIKeyToken(iam, key, p.anonymous())}, endpoint
	}
	o.Transport = p.certificates.record("bucket", p.transport(origin, auth, false))
	p.store = storage.New(o)
	return nil
}
