// Package actionproxy holds the program that runs a Python action: OpenWhisk's action container protocol in one file of
// the Python standard library.
//
// What may go in: that file and access to it. What may not: anything that starts it. Runtime skeletons copy it into
// images, and the local endpoint runs it as a process; it is the same file.
package actionproxy

import _ "embed"

// Name is what the file is called in images and on disk.
const Name = "actionproxy.py"

//go:embed proxy.py
var source []byte

// Source is the program: UTF-8 text for every Python from 3.6 on. Its first comment describes its settings.
func Source() []byte { return append([]byte(nil), source...) }
