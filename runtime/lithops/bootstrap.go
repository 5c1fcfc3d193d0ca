package lithops

import _ "embed"

// bootstrap starts the code of a config map that is mounted into a job.
//
//go:embed bootstrap.py
var bootstrap string

// Bootstrap returns the program, and its arguments, that a job of Code Engine runs when the code is not in its image but in
// a file: the Base64 of a Bundle.
func Bootstrap(file string) (command, args []string) {
	return []string{JobPython}, []string{"-c", bootstrap, file}
}
