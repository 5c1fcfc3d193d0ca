package commands

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
)

// The forms of --secret and --ssh are those of the Docker CLI.
func TestFormsOfSecretsAndAgents(t *testing.T) {
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
