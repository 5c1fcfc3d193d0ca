package images

import (
	"context"

	registrytypes "github.com/docker/docker/api/types/registry"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
)

// account returns the credentials that an engine requests for a registry. An engine on another machine without TLS gets
// none, and pulls base images anonymously.
func (b *Builder) account(ctx context.Context, e *engine.Engine, host string) (registrytypes.AuthConfig, error) {
	a, err := b.credentials.For(ctx, host)
	if err == nil && e.Exposed && a != (registrytypes.AuthConfig{}) {
		b.warnExposed(e)
		a = registrytypes.AuthConfig{}
	}
	return a, err
}

// accounts returns the credentials that a classic build may need. It returns none for an exposed engine.
func (b *Builder) accounts(ctx context.Context, e *engine.Engine) map[string]registrytypes.AuthConfig {
	all := b.credentials.All(ctx)
	if e.Exposed && len(all) > 0 {
		b.warnExposed(e)
		return nil
	}
	return all
}

// warnExposed warns once that no credentials are sent to the engine.
func (b *Builder) warnExposed(e *engine.Engine) {
	b.exposed.Do(func() {
		b.o.Warn(i18n.M("The container engine at {{.Host}} is on another machine and does not use TLS. No registry credentials are sent to it, so base images are pulled anonymously.", "Host", e.Host))
	})
}

// checkPush returns an error if a push would send credentials unencrypted.
func (b *Builder) checkPush(ctx context.Context, e *engine.Engine, host string) error {
	if !e.Exposed {
		return nil
	}
	a, err := b.credentials.For(ctx, host)
	if err != nil || a == (registrytypes.AuthConfig{}) {
		return err
	}
	return exposedFault(e, i18n.M("the credentials for the registry {{.Registry}}", "Registry", host))
}

// exposedFault returns the error for data that would be sent to an exposed engine. what describes the data.
func exposedFault(e *engine.Engine, what i18n.Message) error {
	return fault.New(fault.Denied,
		i18n.M("The container engine at {{.Host}} is on another machine and does not use TLS, so {{.What}} would be sent unencrypted.", "Host", e.Host, "What", what),
		i18n.M("Connect to it over TLS (DOCKER_TLS_VERIFY and DOCKER_CERT_PATH) or SSH: 'DOCKER_HOST=ssh://USER@HOST'."))
}
