package images_test

import (
	"strings"
	"testing"

	"fn-runtime/runtime/actionproxy"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images"
	"fn-runtime/test/harness"
)

// TestCheck checks that unsuitable images are rejected with the reason.
func TestCheck(t *testing.T) {
	t.Parallel() // TestBrokenPush runs at the same time and does not start containers
	proxied := "FROM " + testEngine.base + "\nCOPY proxy.py /proxy.py\nENTRYPOINT [\"python3\", \"/proxy.py\"]\n"
	for _, it := range []struct {
		name, dockerfile, python string
		modules                  []string
		words                    []string
	}{
		{"fit", proxied, "3.11", []string{"json", "xml.dom"}, nil},
		{"any Python", proxied, "", nil, nil},
		{"other Python", proxied, "3.9", nil, []string{"3.11", "3.9"}},
		{"modules missing", proxied, "3.11", []string{"json", "no_such_module", "xml.nothing"}, []string{"no_such_module", "xml.nothing", "requirements.txt"}},
		{"no proxy", "FROM " + testEngine.base + "\nCMD [\"sleep\", \"1000\"]\n", "", nil, []string{"8080"}},
		{"ends at once", "FROM " + testEngine.base + "\nCMD echo cannot start; exit 7\n", "", nil, []string{"exits with code 7", "cannot start"}},
		{"ends well at once", "FROM " + testEngine.base + "\nCMD [\"true\"]\n", "", nil, []string{"exits with code 0", "init"}},
		{"ends in a moment", "FROM " + testEngine.base + "\nCMD sleep 0.3; exit 5\n", "", nil, []string{"exits with code 5"}},
		{"no command", "FROM " + testEngine.base + "\nCMD []\n", "", nil, []string{"neither an ENTRYPOINT nor a CMD", "init"}},
		{"other protocol", "FROM " + testEngine.base + "\nCMD [\"python3\", \"-m\", \"http.server\", \"8080\"]\n", "", nil, []string{"/init", "501"}},
		{"no such program", "FROM " + testEngine.base + "\nENTRYPOINT [\"/nothing\"]\n", "", nil, []string{"does not start", "/nothing"}},
		{"no Python", "FROM " + testEngine.base + "\nRUN rm -f /usr/bin/python*\nCMD [\"sleep\", \"1000\"]\n", "", nil, []string{"cannot run Python", "neither python3 nor python is on PATH"}},
	} {
		t.Run(it.name, func(t *testing.T) {
			harness.NoContainers(t)
			dir := contextDir(t, map[string]string{"Dockerfile": it.dockerfile, "proxy.py": string(actionproxy.Source())})
			built, _, err := build(t, builder(t, images.Options{}), entity.ImageBuild{Image: image(t), Context: dir,
				Check: true, Python: it.python, Modules: it.modules})
			if it.words == nil {
				if err != nil || built.Python != "3.11" {
					t.Fatalf("%+v %v", built, err)
				}
				return
			}
			wants(t, err, fault.Failed, append(it.words, "--no-check")...)
			t.Log(detail(err))
			if strings.Contains(it.name, "missing") && strings.Contains(err.Error(), "json") {
				t.Errorf("an installed module is reported as missing: %v", err)
			}
		})
	}
}
