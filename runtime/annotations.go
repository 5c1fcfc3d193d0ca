package runtime

import (
	"fmt"

	"fn-runtime/runtime/entity"
)

// The annotations that deploy leaves on an action, so that lists tell what it is without reading it.
const (
	noteBundle  = "fn-runtime-bundle"  // sha256 of the handler archive
	noteImage   = "fn-runtime-image"   // image as the client names it; the action's name is made from it
	noteDigest  = "fn-runtime-digest"  // digest of the image when it was deployed; absent when not known
	notePinned  = "fn-runtime-pinned"  // true: exec.image is the digest
	noteSource  = "fn-runtime-source"  // fingerprint of the folder that apply built the image from
	noteLithops = "fn-runtime-lithops" // Lithops version
	notePython  = "fn-runtime-python"  // "3.11", as the metadata call found it to be expected
	noteVersion = "fn-runtime-version" // of the plug-in
)

// note reads an annotation that is text; anything else counts as absent, because annotations are the server's.
func note(a entity.Action, key string) string {
	s, _ := a.Annotations[key].(string)
	return s
}

func pinned(a entity.Action) bool {
	yes, _ := a.Annotations[notePinned].(bool)
	return yes
}

// proof ties a metadata object to the action that was called for it. deploy adds it to the object under proofKey,
// where the client does not look; an object without the action's proof is from before the action was last replaced,
// so a run that was cut off between the two is seen and finished by the next one.
func proof(a entity.Action) string {
	return fmt.Sprintf("%s@%s", note(a, noteBundle), note(a, noteDigest))
}

// proofKey is the key of the proof in the metadata object.
const proofKey = "fn_runtime_proof"
