package images

import (
	"context"

	registrytypes "github.com/docker/docker/api/types/registry"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
)

// account returns the account for a registry that an engine asks for. An engine that is reached without TLS on another
// machine gets none: base images are then pulled without an account.
func (b *Builder) account(ctx context.Context, e *engine.Engine, host string) (registrytypes.AuthConfig, error) {
	a, err := b.credentials.For(ctx, host)
	if err == nil && e.Exposed && a != (registrytypes.AuthConfig{}) {
		b.withhold(e)
		a = registrytypes.AuthConfig{}
	}
	return a, err
}

// accounts are those that a classic build may need; none for an engine that is exposed.
func (b *Builder) accounts(ctx context.Context, e *engine.Engine) map[string]registrytypes.AuthConfig {
	all := b.credentials.All(ctx)
	if e.Exposed && len(all) > 0 {
		b.withhold(e)
		return nil
	}
	return all
}

// withhold says once that accounts were not sent.
func (b *Builder) withhold(e *engine.Engine) {
	b.exposed.Do(func() {
		b.o.Warn(i18n.M("The Docker Engine at {{.Host}} is on another machine and does not use TLS. No registry credentials are sent to it, so base images are pulled anonymously.", "Host", e.Host))
	})
}

// mayPush refuses a push that would send an account in the clear.
func (b *Builder) mayPush(ctx context.Context, e *engine.Engine, host string) error {
	if !e.Exposed {
		return nil
	}
	a, err := b.credentials.For(ctx, host)
	if err != nil || a == (registrytypes.AuthConfig{}) {
		return err
	}
	return readable(e, i18n.M("the credentials for the registry {{.Registry}}", "Registry", host))
}

// readable refuses to send what to an engine that is exposed.
func readable(e *engine.Engine, what i18n.Message) error {
	return fault.New(fault.Denied,
		i18n.M("The Docker Engine at {{.Host}} is on another machine and does not use TLS, so {{.What}} would be sent unencrypted.", "Host", e.Host, "What", what),
		i18n.M("Connect to it over TLS (DOCKER_TLS_VERIFY and DOCKER_CERT_PATH) or SSH: 'DOCKER_HOST=ssh://USER@HOST'."))
}
