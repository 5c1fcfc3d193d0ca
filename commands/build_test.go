package commands

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
)

// --secret and --ssh accept the syntax of the Docker CLI.
func TestSecretAndSSHSyntax(t *testing.T) {
	for text, want := range map[string]*entity.BuildSecret{
		"id=a":                    {ID: "a"},
		"id=a,src=/x/y":           {ID: "a", File: "/x/y"},
		"type=env,id=a,env=TOKEN": {ID: "a", Env: "TOKEN"},
		"id=a,\"source=/x,y\"":    {ID: "a", File: "/x,y"},
		"src=/x":                  nil,
		"a":                       nil,
		"id=a,type=other":         nil,
		"":                        nil,
	} {
		var got []entity.BuildSecret
		err := secretsValue{&got}.Set(text)
		var wanted []entity.BuildSecret
		if want != nil {
			wanted = append(wanted, *want)
		}
		if diff := cmp.Diff(wanted, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("--secret %q: error %v (-want +got)\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]*entity.BuildSSH{
		"default": {ID: "default"},
		"a=/s":    {ID: "a", Socket: "/s"},
		"a=":      nil,
		"=/k":     nil,
	} {
		var got []entity.BuildSSH
		err := sshValue{&got}.Set(text)
		var wanted []entity.BuildSSH
		if want != nil {
			wanted = append(wanted, *want)
		}
		if diff := cmp.Diff(wanted, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("--ssh %q: error %v (-want +got)\n%s", text, err, diff)
		}
	}
}

// As with the Docker CLI, a build argument without a value is read from the environment, and a label without a value is
// empty.
func TestBuildArgumentsAndLabelsWithoutValue(t *testing.T) {
	h := newHarness()
	h.Host.Getenv = func(name string) string { return map[string]string{"FLAVOR": "plain"}[name] }
	cmd := newBuild(h.Factory)
	for flag, values := range map[string][]string{
		"build-arg": {"FLAVOR", "UNSET", "EMPTY="},
		"label":     {"release", "a=b=c"},
	} {
		for _, value := range values {
			if err := cmd.Flags().Set(flag, value); err != nil {
				t.Errorf("--%s %s: %v", flag, value, err)
			}
		}
	}
	args, labels := cmd.Flags().Lookup("build-arg").Value.(pairs), cmd.Flags().Lookup("label").Value.(pairs)
	if diff := cmp.Diff(map[string]string{"FLAVOR": "plain", "EMPTY": ""}, *args.m); diff != "" {
		t.Errorf("arguments (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"release": "", "a": "b=c"}, *labels.m); diff != "" {
		t.Errorf("labels (-want +got)\n%s", diff)
	}
	for _, flag := range []string{"build-arg", "label"} {
		if cmd.Flags().Set(flag, "=x") == nil {
			t.Errorf("--%s =x is accepted", flag)
		}
	}
}
