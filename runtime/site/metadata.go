package site

import (
	"bytes"
	"encoding/json"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

// Metadata is a metadata object: the metadata that the runtime returned, the timeout that the client also needs, and
// the proof, a value that ties the object to its runtime. The proof is "" if another tool stored the object.
type Metadata struct {
	lithops.Metadata
	Proof string
}

// Matches reports whether metadata describes a runtime that is compatible with this client and this Python version.
func (m Metadata) Matches(install lithops.Install, python string) bool {
	return m.PythonVersion == python && (m.LithopsVersion == install.Version || m.LithopsVersion == "") &&
		m.PythonVersion != ""
}

// ParseMetadata parses a metadata object. A missing object is an error, like an invalid one.
func ParseMetadata(data []byte) (Metadata, error) {
	md, err := lithops.ParseMetadata(data)
	if err != nil {
		return Metadata{}, err
	}
	var members map[string]json.RawMessage
	stored := Metadata{Metadata: md}
	if json.Unmarshal(data, &members) == nil {
		_ = json.Unmarshal(members[proofKey], &stored.Proof) // a proof of a wrong type counts as missing, so the object is written again
	}
	return stored, nil
}

var proofMember = text.NewPattern(`, "` + proofKey + `": "[^"\\]*"`)

// EncodeMetadata encodes a metadata object as the client does and adds the proof as the last key.
func EncodeMetadata(md lithops.Metadata, timeoutS int, proof string) ([]byte, error) {
	value, err := json.Marshal(proof)
	if err != nil {
		return nil, err
	}
	data := proofMember.ReplaceAll(lithops.Encode(md, timeoutS), nil)
	data = bytes.TrimSuffix(data, []byte("}"))
	data = append(data, ", \""+proofKey+"\": "...)
	return append(append(data, value...), '}'), nil
}

// Proof returns a value that ties a metadata object to the runtime that returned it. deploy stores it in the object
// under proofKey, which the client ignores. If an object lacks the proof of its runtime, it was stored before the
// runtime was last registered. This happens if a command is interrupted between the two writes. The next run then
// repairs the object.
func Proof(r entity.Registered) string {
	proof := r.Note(entity.NoteBundle) + "@" + r.Note(entity.NoteDigest)
	if code := r.Note(entity.NoteCode); code != "" {
		proof += " " + code // the image contains its own code, which is independent of the client's
	}
	return proof
}

// proofKey is the key of the proof in the metadata object.
const proofKey = "fn_runtime_proof"
