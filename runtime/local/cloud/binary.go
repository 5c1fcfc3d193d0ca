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

// Login writes a session of the IBM Cloud CLI as 'ibmcloud login' does. The session uses this cloud's IAM.
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

// The tokens of the session that Login writes. The access token has the format of a real token and expires in 2100, but
// no service accepts it.
const (
	SessionToken = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDAsIm5vdGUiOiJzRWNSZVQtc2Vzc2lvbi10b2tlbiJ9.c0VjUmVULXNpZ25hdHVyZQ"
	RefreshToken = "sEcReT-refresh-token-0123456789"
)

// Command returns a command that runs the built binary. line is the command line; see Run.
func (u *Client) Command(t testing.TB, line string) *exec.Cmd {
	t.Helper()
	return u.CommandArgs(t, u.args(line)...)
}

// CommandArgs returns a command that runs the built binary with the given arguments, without replacements or additions.
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

// Binary runs the built binary and returns its result. more is added to its environment. Binary kills the program when
// ctx ends.
func (u *Client) Binary(ctx context.Context, t testing.TB, line string, more ...string) Result {
	t.Helper()
	return Finish(ctx, t, u.Command(t, line), more...)
}

// Finish runs a command to its end and kills it when ctx ends. If the binary includes the race detector, reported races
// fail the test.
func Finish(ctx context.Context, t testing.TB, cmd *exec.Cmd, more ...string) Result {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &stderr, append(cmd.Env, more...)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return Result{Status: -1}
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	stop()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
	harness.NoRaces(t, stderr.String())
	return Result{Line: strings.Join(cmd.Args[1:], " "), Status: cmd.ProcessState.ExitCode(), Out: out.String(), Err: stderr.String(), Took: time.Since(start)}
}
