package plugin

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/IBM-Cloud/ibm-cloud-cli-sdk/bluemix/configuration/core_config"
	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"

	"fn-runtime/i18n"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// newSession returns the session of the CLI, or nil if the user is not logged in. It does not call
// PluginContext.IsLoggedIn, which would send a request to refresh an expired token even for commands that need no
// token.
func newSession(c sdk.PluginContext, h *host) *connect.Session {
	if c.IAMToken() == "" && c.IAMRefreshToken() == "" {
		return nil
	}
	if c.IAMRefreshToken() == "" && !c.IsLoggedInAsCRI() && !expiry(c.IAMToken()).After(time.Now()) {
		return nil
	}
	t := &tokens{context: c, now: time.Now, timeout: h.HTTPTimeout}
	if t.timeout == 0 {
		t.timeout = refreshTimeout
	}
	account := c.CurrentAccount()
	s := &connect.Session{
		Region:          c.CurrentRegion().Name,
		ResourceGroupID: c.CurrentResourceGroup().GUID,
		AccountID:       account.GUID,
		AccountName:     account.Name,
		IAMEndpoint:     c.IAMEndpoint(),
		PrivateEndpoint: c.IsPrivateEndpointEnabled(),
		Token:           t.token,
	}
	s.ResourceGroup = func(ctx context.Context, name string) (string, error) { return resourceGroup(ctx, c, h, s.Token, name) }
	return s
}

// expiry returns the expiry time of a token. A token without an expiry time counts as expired.
func expiry(token string) time.Time { return core_config.NewIAMTokenInfo(token).Expiry }

// A token that expires within expiryMargin is refreshed before use. A token is refreshed at most once per
// minRefreshInterval, because several concurrent requests may have failed with the same token.
const (
	expiryMargin       = 2 * time.Minute
	minRefreshInterval = 30 * time.Second
)

// refreshTimeout is the timeout of a token refresh if the CLI has no setting. The client of the SDK has no timeout.
const refreshTimeout = time.Minute

// tokens provides the IAM access token and refreshes it. It serializes refreshes, because the configuration of the SDK
// does not support concurrent refreshes.
type tokens struct {
	context   sdk.PluginContext
	now       func() time.Time
	timeout   time.Duration // of a refresh
	mu        sync.Mutex
	refreshed time.Time
}

func (t *tokens) token(ctx context.Context, refresh bool) (string, error) {
	type response struct {
		token string
		err   error
	}
	result := make(chan response, 1)
	timer := time.NewTimer(t.timeout)
	defer timer.Stop()
	go func() { // the refresh of the SDK does not accept a context
		token, err := t.get(refresh)
		result <- response{token, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-timer.C:
		return "", fault.New(fault.Timeout,
			i18n.M("IAM did not respond within {{.Time}}.", "Time", t.timeout),
			i18n.M("Try again later, or log in again with 'ibmcloud login'."))
	case r := <-result:
		return r.token, r.err
	}
}

func (t *tokens) get(refresh bool) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	token := t.context.IAMToken()
	recent := !t.refreshed.IsZero() && now.Sub(t.refreshed) < minRefreshInterval
	if (refresh || expiry(token).Before(now.Add(expiryMargin))) && !recent {
		var err error
		token, err = t.context.RefreshIAMToken()
		if netErr := (*url.Error)(nil); errors.As(err, &netErr) { // a network error does not mean that the session has expired
			return "", fault.New(fault.Unavailable,
				i18n.M("The session could not be renewed: {{.Reason}}.", "Reason", text.Line(netErr.Error(), 300)),
				i18n.M("Check the endpoint and the network, then retry.")).Because(err)
		}
		if err != nil {
			return "", fault.New(fault.NotLoggedIn,
				i18n.M("The session has expired and could not be renewed."),
				i18n.M("Log in with 'ibmcloud login'.")).Because(err)
		}
		t.refreshed = now
	}
	return trimBearer(token), nil
}

// trimBearer removes the prefix "Bearer " from a token.
func trimBearer(token string) string {
	if kind, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(kind, "bearer") {
		return rest
	}
	return token
}
