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

// newSession returns what a logged-in CLI knows, nil when nobody is logged in. It does not ask PluginContext.IsLoggedIn,
// which refreshes an expired token over the network even for commands that need none.
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

// expiry is when a token ends; a token that does not say ends now.
func expiry(token string) time.Time { return core_config.NewIAMTokenInfo(token).Expiry }

// Margins of a token: one that ends sooner than nearExpiry is refreshed before it is used, and one that is younger
// than fresh is not refreshed again, because several requests may have been refused with the old one.
const (
	nearExpiry = 2 * time.Minute
	fresh      = 30 * time.Second
)

// refreshTimeout bounds a refresh where the CLI has no setting: the SDK's own client waits for ever.
const refreshTimeout = time.Minute

// tokens returns the IAM access token. One refresh at a time: the SDK's configuration is not made for more.
type tokens struct {
	context   sdk.PluginContext
	now       func() time.Time
	timeout   time.Duration // of a refresh
	mu        sync.Mutex
	refreshed time.Time
}

func (t *tokens) token(ctx context.Context, refresh bool) (string, error) {
	type answer struct {
		token string
		err   error
	}
	result := make(chan answer, 1)
	timer := time.NewTimer(t.timeout)
	defer timer.Stop()
	go func() { // the SDK's refresh takes no context
		token, err := t.get(refresh)
		result <- answer{token, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-timer.C:
		return "", fault.New(fault.Timeout,
			i18n.M("IAM did not respond within {{.Time}}.", "Time", t.timeout),
			i18n.M("Try again later, or log in again with 'ibmcloud login'."))
	case a := <-result:
		return a.token, a.err
	}
}

func (t *tokens) get(refresh bool) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	token := t.context.IAMToken()
	young := !t.refreshed.IsZero() && now.Sub(t.refreshed) < fresh
	if (refresh || expiry(token).Before(now.Add(nearExpiry))) && !young {
		var err error
		token, err = t.context.RefreshIAMToken()
		if unanswered := (*url.Error)(nil); errors.As(err, &unanswered) { // that says nothing of the session
			return "", fault.New(fault.Unavailable,
				i18n.M("The session could not be renewed: {{.Reason}}.", "Reason", text.Line(unanswered.Error(), 300)),
				i18n.M("Check the endpoint and the network, then retry.")).Because(err)
		}
		if err != nil {
			return "", fault.New(fault.NotLoggedIn,
				i18n.M("The session has expired and could not be renewed."),
				i18n.M("Log in with 'ibmcloud login'.")).Because(err)
		}
		t.refreshed = now
	}
	return bare(token), nil
}

// bare takes "Bearer " off.
func bare(token string) string {
	if kind, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(kind, "bearer") {
		return rest
	}
	return token
}
