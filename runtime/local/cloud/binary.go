package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// Login writes the session of the IBM Cloud CLI as 'ibmcloud login' leaves it, with this cloud's identity service.
func (u *Client) Login(t testing.TB) {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"APIEndpoint": "https://cloud.ibm.com", "CloudName": "bluemix", "CloudType": "public", "Region": "us-south", "RegionID": "us-south",
		"IAMEndpoint": u.Cloud.URL(IAM), "IAMToken": "Bearer " + SessionToken, "IAMRefreshToken": RefreshToken,
		"Account": map[string]any{"GUID": "account", "Name": "Account"}, "ResourceGroup": map[string]any{"GUID": "group", "Name": "Default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	u.Write(t, ".bluemix/config.json", string(data))
}

// The tokens of the session that Login writes. The access token looks like one, ends in 2100 and opens nothing.
const (
	SessionToken = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDAsIm5vdGUiOiJzRWNSZVQtc2Vzc2lvbi10b2tlbiJ9.c0VjUmVULXNpZ25hdHVyZQ"
	RefreshToken = "sEcReT-refresh-token-0123456789"
)

// Command is a run of the built binary that has not begun.
func (u *Client) Command(t testing.TB, line string) *exec.Cmd {
	t.Helper()
	return u.CommandArgs(t, u.args(line)...)
}

// CommandArgs is Command with arguments that stay as they are.
func (u *Client) CommandArgs(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	bin := u.Bin
	if bin == "" {
		bin = harness.Binary(t)
	}
	cmd := exec.Command(bin, args...)
	cmd.Dir = filepath.Join(u.Home, "work")
	cmd.Env = append(append(u.environ(), "PATH=/usr/bin:/bin"), u.Env...)
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// Binary runs the built binary; more is added to its environment. It is killed when ctx ends.
func (u *Client) Binary(ctx context.Context, t testing.TB, line string, more ...string) Answer {
	t.Helper()
	return Finish(ctx, t, u.Command(t, line), more...)
}

// Finish runs a command to its end. What the race detector finds meanwhile, where it is built in, fails the test.
func Finish(ctx context.Context, t testing.TB, cmd *exec.Cmd, more ...string) Answer {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &stderr, append(cmd.Env, more...)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return Answer{Status: -1}
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	stop()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
	harness.NoRaces(t, stderr.String())
	return Answer{Line: strings.Join(cmd.Args[1:], " "), Status: cmd.ProcessState.ExitCode(), Out: out.String(), Err: stderr.String(), Took: time.Since(start)}
}
