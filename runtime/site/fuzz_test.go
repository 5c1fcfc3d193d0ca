package site

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"fn-runtime/runtime/entity"
)

// FuzzMetadata parses arbitrary metadata objects. Encoding the result and parsing it again yields the same metadata, with
// the proof in it once.
func FuzzMetadata(f *testing.F) {
	for _, s := range []string{
		`{"preinstalls": [["a", true]], "python_version": "3.11", "lithops_version": "3.8.0", "runtime_timeout": 60}`,
		`{"preinstalls": [], "python_version": "3.11", "fn_runtime": "x", "x": "\ud800", "fn_runtime": 1}`,
		`{"preinstalls": [["a"]], "python_version": 3.11}`, `null`, `[]`, `{"a": 1}{"b": 2}`, strings.Repeat(`{"a":`, 200),
	} {
		f.Add([]byte(s), "proof")
	}
	f.Fuzz(func(t *testing.T, data []byte, proof string) {
		read, err := ParseMetadata(data)
		if err != nil {
			return
		}
		if strings.ContainsAny(proof, `"\`) || strings.ContainsFunc(proof, func(r rune) bool { return r < ' ' || r > '~' }) {
			proof = "p" // proofs are hexadecimal
		}
		written, err := EncodeMetadata(read.Metadata, 60, proof)
		if err != nil || !json.Valid(written) {
			t.Fatalf("%s, %v", written, err)
		}
		reparsed, err := ParseMetadata(written)
		if err != nil || reparsed.Proof != proof || reparsed.TimeoutS != 60 || reparsed.PythonVersion != read.PythonVersion || len(reparsed.Preinstalls) != len(read.Preinstalls) {
			t.Errorf("%s became %s: %+v, %v", data, written, reparsed, err)
		}
	})
}

// FuzzFailureReason checks that any result and log of a failed activation is shown as one line of bounded length without
// control characters.
func FuzzFailureReason(f *testing.F) {
	f.Add([]byte(`{"error":"no"}`), "a\x1b[2J", "whisk internal error")
	f.Add([]byte(`{"error":{"a":[1]}}`), "", "\u202e")
	f.Add([]byte(`[`), strings.Repeat("x", 5000), "")
	f.Fuzz(func(t *testing.T, result []byte, log, status string) {
		shown := append(LastLines(strings.Split(log, "\n")), reason(entity.Activation{ID: log, Result: result, Status: status}))
		for _, s := range shown {
			if len([]rune(s)) > maxWidth+100 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q", s)
			}
		}
	})
}
