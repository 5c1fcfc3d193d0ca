// Package schema holds the JSON schemas of what the commands write, and that of the file which 'apply' reads.
package schema

import _ "embed" // of the schema that a command prints

// Apply is the schema of a file of 'apply'.
//
//go:embed apply.json
var Apply []byte
