package plugin

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
)

// Version is the version of the plug-in: the only place where it stands.
const Version = "0.1.0"

// packedNotice is NOTICE in a sixth of its size: made by bin/notices.
//
//go:embed NOTICE.gz
var packedNotice []byte

// notice names what is linked, with the licences.
func notice() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packedNotice))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// minCLI is the oldest IBM Cloud CLI that gives plug-ins all that is used here (private endpoints over VPC).
const minCLI = "2.0.0"

// versionType takes "1.2.3" apart.
func versionType(s string) (v sdk.VersionType) {
	_, _ = fmt.Sscanf(s, "%d.%d.%d", &v.Major, &v.Minor, &v.Build)
	return v
}
