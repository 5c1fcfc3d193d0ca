package plugin

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
)

// Version is the version of the plug-in. It is defined only here.
const Version = "0.1.0"

// packedNotice is the compressed file NOTICE. bin/notices generates it.
//
//go:embed NOTICE.gz
var packedNotice []byte

// notice returns the list of linked modules with their licenses.
func notice() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packedNotice))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// minCLI is the oldest version of the IBM Cloud CLI with all features that the plug-in uses (private endpoints over
// VPC).
const minCLI = "2.0.0"

// versionType parses a version such as "1.2.3".
func versionType(s string) (v sdk.VersionType) {
	_, _ = fmt.Sscanf(s, "%d.%d.%d", &v.Major, &v.Minor, &v.Build)
	return v
}
