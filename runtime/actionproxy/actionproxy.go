// Package actionproxy contains the program that runs a Python action. It implements OpenWhisk's action container
// protocol in one file that needs only the Python standard library.
//
// The package provides that file. It does not start it: runtime skeletons copy the file into images, and the local
// endpoint runs it as a process. Both use the same file.
package actionproxy

import _ "embed"

// Name is the name of the file in images and on disk.
const Name = "actionproxy.py"

//go:embed proxy.py
var source []byte

// Source returns the program: UTF-8 text for Python 3.6 and later. Its first comment describes its settings.
func Source() []byte { return append([]byte(nil), source...) }
