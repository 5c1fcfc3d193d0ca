package runtime

import (
	"bytes"
	"encoding/json"

	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

// storedMetadata is a metadata object: what the runtime said about itself, what the client needs beside it, and the
// proof, "" when another tool stored the object.
type storedMetadata struct {
	lithops.Metadata
	Proof string
}

// fits tells whether metadata describes a runtime that this client and this Python can work with.
func (m storedMetadata) fits(install lithops.Install, python string) bool {
	return m.PythonVersion == python && (m.LithopsVersion == install.Version || m.LithopsVersion == "") &&
		m.PythonVersion != ""
}

// readMetadata reads a metadata object. No object is an error like a broken one.
func readMetadata(data []byte) (storedMetadata, error) {
	md, err := lithops.ParseMetadata(data)
	if err != nil {
		return storedMetadata{}, err
	}
	var ours map[string]json.RawMessage
	stored := storedMetadata{Metadata: md}
	if json.Unmarshal(data, &ours) == nil {
		_ = json.Unmarshal(ours[proofKey], &stored.Proof) // of a wrong type: no proof, and the object is written again
	}
	return stored, nil
}

var proofMember = text.NewPattern(`, "` + proofKey + `": "[^"\\]*"`)

// writeMetadata makes the object: what the client writes, and the proof as one more key at the end.
func writeMetadata(md lithops.Metadata, timeoutS int, proof string) ([]byte, error) {
	value, err := json.Marshal(proof)
	if err != nil {
		return nil, err
	}
	data := proofMember.ReplaceAll(lithops.Encode(md, timeoutS), nil)
	data = bytes.TrimSuffix(data, []byte("}"))
	data = append(data, ", \""+proofKey+"\": "...)
	return append(append(data, value...), '}'), nil
}
