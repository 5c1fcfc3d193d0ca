package plugin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

// jwt returns an unsigned token that expires at the given time.
func jwt(name string, end time.Time) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return "Bearer " + part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"exp":%d,"iat":1,"name":%q}`, end.Unix(), name)) + ".x"
}

// iam is a fake IAM that counts refreshes.
type iam struct {
	*httptest.Server
	refreshes atomic.Int32
	status    int
	next      string
}

func newIAM(t *testing.T, status int) *iam {
	s := &iam{status: status, next: jwt("new", time.Now().Add(time.Hour))}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/identity/token" || r.FormValue("refresh_token") != "refresh-1" {
			http.Error(w, "unexpected request", http.StatusBadRequest)
			return
		}
		s.refreshes.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(s.status)
		if s.status == http.StatusOK {
			_ = json.NewEncoder(w).Encode(map[string]any{
				"access_token": strings.TrimPrefix(s.next, "Bearer "), "refresh_token": "refresh-2", "token_type": "Bearer",
				"expires_in": 3600, "expiration": time.Now().Add(time.Hour).Unix(),
			})
		} else {
			fmt.Fprint(w, `{"errorCode":"BXNIM0408E","errorMessage":"Provided refresh_token is expired"}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// login writes a config.json like that of a logged-in CLI and makes the SDK use it. It returns the path of the file.
func login(t *testing.T, config map[string]any) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("IBMCLOUD_CONFIG_HOME", home)
	t.Setenv("IAM_ENDPOINT", "")
	for _, name := range []string{"IBMCLOUD_COLOR", "BLUEMIX_COLOR", "IBMCLOUD_TRACE", "BLUEMIX_TRACE", "LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "")
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "config.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func session(server *iam, token string) map[string]any {
	return map[string]any{
		"APIEndpoint": "https://cloud.ibm.com", "CloudName": "bluemix", "CloudType": "public",
		"Region": "eu-de", "RegionID": "ibm:yp:eu-de",
		"IAMEndpoint": server.URL, "IAMToken": token, "IAMRefreshToken": "refresh-1",
		"Account":       map[string]any{"GUID": "acc-1", "Name": "Account One"},
		"ResourceGroup": map[string]any{"GUID": "group-1", "Name": "Default"},
		"HTTPTimeout":   17, "SSLDisabled": true, "Locale": "de_DE", "Trace": "false", "ColorEnabled": "false",
	}
}

func TestReadHost(t *testing.T) {
	server := newIAM(t, http.StatusOK)
	login(t, session(server, jwt("old", time.Now().Add(time.Hour))))
	h, err := readHost(true)
	if err != nil {
		t.Fatal(err)
	}
	s := h.Session
	if s == nil {
		t.Fatal("not logged in")
	}
	if s.Region != "eu-de" || s.ResourceGroupID != "group-1" || s.AccountID != "acc-1" || s.AccountName != "Account One" || s.IAMEndpoint != server.URL || s.PrivateEndpoint {
		t.Errorf("session: %+v", s)
	}
	if h.HTTPTimeout != 17*time.Second || !h.SkipTLSVerify || h.texts.Locale() != "de_DE" || h.trace != "false" || h.color != "false" {
		t.Errorf("host: timeout %v, skip %v, locale %s, trace %q, color %q", h.HTTPTimeout, h.SkipTLSVerify, h.texts.Locale(), h.trace, h.color)
	}
	token, err := s.Token(context.Background(), false)
	if err != nil || strings.HasPrefix(token, "Bearer") || server.refreshes.Load() != 0 {
		t.Errorf("token %q, %v, refreshes %d", token, err, server.refreshes.Load())
	}
	if id, err := s.ResourceGroup(context.Background(), "Default"); id != "group-1" || err != nil {
		t.Errorf("resource group %q, %v", id, err)
	}
}

func TestExpiredTokenIsRefreshedOnceAndUsed(t *testing.T) {
	server := newIAM(t, http.StatusOK)
	file := login(t, session(server, jwt("old", time.Now().Add(-time.Hour))))
	h, err := readHost(true)
	if err != nil {
		t.Fatal(err)
	}
	if server.refreshes.Load() != 0 {
		t.Error("refreshed before the token was needed")
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			token, err := h.Session.Token(context.Background(), i%2 == 0)
			if err != nil || "Bearer "+token != server.next {
				t.Errorf("token %q, %v", token, err)
			}
		})
	}
	wg.Wait()
	if n := server.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	data, _ := os.ReadFile(file)
	if !strings.Contains(string(data), "refresh-2") {
		t.Error("the new refresh token was not saved for the CLI")
	}
}

func TestFailedRefreshReturnsNotLoggedIn(t *testing.T) {
	server := newIAM(t, http.StatusBadRequest)
	login(t, session(server, jwt("old", time.Now().Add(-time.Hour))))
	h, err := readHost(true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Session.Token(context.Background(), false)
	if !fault.Is(err, fault.NotLoggedIn) || strings.Contains(err.Error(), "refresh-1") {
		t.Errorf("got %v", err)
	}
}

func TestTokenReturnsWhenContextIsCancelled(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	defer close(hang)
	login(t, session(&iam{Server: server}, jwt("old", time.Now().Add(-time.Hour))))
	h, err := readHost(true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.Session.Token(ctx, false); err == nil {
		t.Error("no error")
	}
}

func TestNotLoggedIn(t *testing.T) {
	for name, config := range map[string]map[string]any{
		"logged out":                    {"Region": "us-south"},
		"expired without refresh token": {"IAMToken": jwt("old", time.Now().Add(-time.Hour))},
	} {
		t.Run(name, func(t *testing.T) {
			login(t, config)
			h, err := readHost(true)
			if err != nil || h.Session != nil {
				t.Errorf("session %v, err %v", h.Session, err)
			}
		})
	}
}

func TestInvalidConfigurationIsUnchanged(t *testing.T) {
	file := login(t, map[string]any{})
	broken := []byte(`{"IAMToken": "Bearer secret`)
	if err := os.WriteFile(file, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := readHost(true)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(file); string(data) != string(broken) {
		t.Errorf("the file was changed to %q", data)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if h, err := readHost(true); err != nil || h.Session != nil {
		t.Errorf("without a file: %v, %v", h.Session, err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a configuration file was created")
	}
}

func TestTraceFileIsPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace.log")
	if err := os.WriteFile(file, []byte("before\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	tr, err := openTrace(file)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(tr.writer, "after")
	tr.close()
	info, _ := os.Stat(file)
	data, _ := os.ReadFile(file)
	if info.Mode().Perm() != 0o600 || string(data) != "before\nafter\n" {
		t.Errorf("mode %v, content %q", info.Mode(), data)
	}
	if _, err := openTrace(filepath.Join(file, "x")); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	for _, off := range []string{"", "false"} {
		if tr, err := openTrace(off); err != nil || tr.writer != nil {
			t.Errorf("%q: %v, %v", off, tr.writer, err)
		}
	}
}

// The local endpoint outlives the command that started it. It does not read the session of the CLI.
func TestLocalEndpointDoesNotReadTheSession(t *testing.T) {
	server := newIAM(t, http.StatusOK)
	file := login(t, session(server, jwt("old", time.Now().Add(-time.Hour))))
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHost(false)
	if err != nil || h.Session != nil || h.StateDir == "" {
		t.Errorf("%v, %+v", err, h)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the configuration was changed: %v", err)
	}
	if err := os.WriteFile(file, []byte("{ broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readHost(false); err != nil {
		t.Error(err)
	}
}
