package site

import (
	"bytes"
	"encoding/json"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

// Metadata is a metadata object: what the runtime said about itself, what the client needs beside it, and the
// proof, "" when another tool stored the object.
type Metadata struct {
	lithops.Metadata
	Proof string
}

// Matches reports whether metadata describes a runtime that this client and this Python can work with.
func (m Metadata) Matches(install lithops.Install, python string) bool {
	return m.PythonVersion == python && (m.LithopsVersion == install.Version || m.LithopsVersion == "") &&
		m.PythonVersion != ""
}

// ParseMetadata reads a metadata object. No object is an error like a broken one.
func ParseMetadata(data []byte) (Metadata, error) {
	md, err := lithops.ParseMetadata(data)
	if err != nil {
		return Metadata{}, err
	}
	var ours map[string]json.RawMessage
	stored := Metadata{Metadata: md}
	if json.Unmarshal(data, &ours) == nil {
		_ = json.Unmarshal(ours[proofKey], &stored.Proof) // of a wrong type: no proof, and the object is written again
	}
	return stored, nil
}

var proofMember = text.NewPattern(`, "` + proofKey + `": "[^"\\]*"`)

// EncodeMetadata makes the object: what the client writes, and the proof as one more key at the end.
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

// Proof ties a metadata object to the runtime that was called for it. deploy adds it to the object under proofKey,
// where the client does not look; an object without the runtime's proof is from before the runtime was last replaced,
// so a run that was cut off between the two is seen and finished by the next one.
func Proof(r entity.Registered) string {
	proof := r.Note(entity.NoteBundle) + "@" + r.Note(entity.NoteDigest)
	if code := r.Note(entity.NoteCode); code != "" {
		proof += " " + code // whatever the client's code is, the image has its own
	}
	return proof
}

// proofKey is the key of the proof in the metadata object.
const proofKey = "fn_runtime_proof"
