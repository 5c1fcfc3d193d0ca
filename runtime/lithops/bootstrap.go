package lithops

import _ "embed"

// bootstrap unpacks and runs the code in a mounted config map.
//
//go:embed bootstrap.py
var bootstrap string

// Bootstrap returns the command and arguments of a Code Engine job whose code is not in its image but in a file that
// contains Bundle.Base64.
func Bootstrap(file string) (command, args []string) {
	return []string{JobPython}, []string{"-c", bootstrap, file}
}
