package dashboard

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// record writes a saved timeline as docs/timeline.svg, below the command that ran the job. It reveals the timeline from
// left to right within seconds.
func record(t *testing.T, picture string) {
	t.Helper()
	var width, height int
	if _, err := fmt.Sscanf(picture[strings.Index(picture, "width="):], `width="%d" height="%d"`, &width, &height); err != nil {
		t.Fatal(err)
	}
	const bar = 48
	text := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d">
<rect width="%[1]d" height="%[3]d" fill="#161616"/>
<text x="20" y="31" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="18" fill="#f4f4f4"><tspan fill="#42be65">$</tspan> ibmcloud fn-runtime run -b local -- python job.py</text>
<svg y="%[3]d" width="%[1]d" height="%[4]d">
%[5]s
<rect x="0" y="150" width="%[1]d" height="%[4]d" fill="#ffffff"><animate attributeName="x" dur="12s" values="64;1140;1200;1200" keyTimes="0;0.6;0.61;1" repeatCount="indefinite"/></rect>
</svg>
</svg>
`, width, height+bar, bar, height, strings.TrimSpace(picture))
	if err := os.WriteFile(filepath.Join(harness.Root(t), "docs", "timeline.svg"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
