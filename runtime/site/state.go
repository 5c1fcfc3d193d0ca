package site

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// State describes whether the installed client can use a runtime.
type State string

// The states of a runtime.
const (
	Ready           State = "ready"
	NoMetadata      State = "no_metadata"      // runtime without metadata: the client deploys it again
	VersionMismatch State = "version_mismatch" // registered for another Lithops version than the client's
	PythonMismatch  State = "python_mismatch"  // runs another Python version than the client
	Outdated        State = "outdated"         // its code, metadata or image digest differs from what deploy would register now
	OrphanMetadata  State = "orphan_metadata"  // metadata without a runtime: the client hangs
)

// ReplacedReason returns the message that another tool registered its own code under the name of a deployed runtime.
func ReplacedReason() i18n.Message {
	return i18n.M("Another tool registered it again, so its Lithops code is unknown.")
}

// StateOf returns the state of a runtime for the installed client and, unless it is Ready, the most severe reason.
// bundle is the hash of the client's handler archive and digest the current digest of the image's tag; each is "" if
// unknown.
func (s *Site) StateOf(e Entry, bundle, digest string) (State, i18n.Message) {
	python := e.Python()
	deployedBundle, deployedDigest := e.Note(entity.NoteBundle), e.Note(entity.NoteDigest)
	switch {
	case e.Orphan:
		return OrphanMetadata, i18n.M("Its metadata is stored, but the runtime is missing, so the client would wait indefinitely.")
	case s.Install.Version != "" && e.Version != s.Install.Version:
		return VersionMismatch, i18n.M("It is for Lithops {{.Runtime}}; the client is {{.Client}}.", "Runtime", e.Version, "Client", s.Install.Version)
	case s.Store != nil && !e.HasObject:
		return NoMetadata, i18n.M("Its metadata is not stored, so the client deploys it again.")
	case s.Install.Python != "" && python != "" && python != s.Install.Python:
		return PythonMismatch, i18n.M("It runs Python {{.Runtime}}; the client runs {{.Client}}.", "Runtime", python, "Client", s.Install.Python)
	case !e.MetadataProblem().IsZero():
		return Outdated, e.MetadataProblem()
	case e.Replaced():
		return Outdated, ReplacedReason()
	case s.Contract.Backend == lithops.CodeEngine && deployedBundle == "" && !s.Target.HostPython && lithops.LacksCode(e.Image):
		return Outdated, i18n.M("The Lithops client registered it without code, so the client waits indefinitely for jobs that run on it.")
	case bundle != "" && deployedBundle != "" && deployedBundle != bundle:
		return Outdated, i18n.M("Its Lithops code differs from the client's.")
	case deployedBundle != "" && e.Stored != nil && e.Stored.Proof != Proof(e.Registered):
		return Outdated, i18n.M("Its metadata was stored before the runtime was last changed.")
	case digest != "" && deployedDigest != "" && digest != deployedDigest:
		return Outdated, TagMovedReason(e.Image, e.Pinned())
	}
	return Ready, i18n.Message{}
}

// MetadataProblem returns why the metadata of a runtime makes the client's next job fail. It returns the zero Message
// if there is no problem or if the metadata was not read.
func (e Entry) MetadataProblem() i18n.Message {
	switch {
	case e.Stored == nil:
		return i18n.Message{}
	case e.Stored.PythonVersion == "":
		return i18n.M("Its metadata cannot be read.")
	case e.Stored.TimeoutS == 0 && lithops.NeedsTimeout(e.Version): // as the Lithops command 'runtime update' leaves it
		return i18n.M("Its metadata does not contain the timeout, so the client's next job fails.")
	}
	return i18n.Message{}
}

// ReadMetadata reads the metadata of the runtimes of the client's version whose notes are missing or may be stale. The
// number of requests grows with the number of runtimes that other tools or earlier releases registered.
func (s *Site) ReadMetadata(ctx context.Context, entries []Entry) error {
	var unknown []int
	for i, e := range entries {
		if !e.Orphan && e.HasObject && e.Version == s.Contract.Version && (e.Note(entity.NotePython) == "" || e.Revision != "" && !e.Unmodified()) {
			unknown = append(unknown, i)
		}
	}
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), unknown, func(ctx context.Context, i int) (struct{}, error) {
		data, err := s.GetMetadata(ctx, entries[i].MetadataKey)
		if err == nil {
			entries[i].SetMetadata(data)
		}
		return struct{}{}, err
	})
	return parallel.FirstError(errs)
}

// SetMetadata sets the metadata object of a runtime; nil if there is none.
func (e *Entry) SetMetadata(object []byte) {
	if e.HasObject, e.Stored = object != nil, nil; e.HasObject {
		stored, _ := ParseMetadata(object)
		e.Stored = &stored
	}
}

// WantExisting returns the desired state of a deployed runtime. The runtime keeps its names, even if they are not
// derived from its image as this release would derive them. digest is the current digest of the image's tag, "" if
// unknown. A pinned runtime keeps its digest.
func (s *Site) WantExisting(e Entry, timeoutS int, digest string) Wanted {
	if timeoutS == 0 {
		timeoutS = max(1, e.TimeoutMS/1000)
	}
	w := s.Want(e.Image, e.NamedMB, timeoutS, "")
	w.ID, w.Key, w.Pin, w.Digest = e.ID, e.MetadataKey, e.Pinned(), digest
	w.MilliCPU, w.InImage = e.MilliCPU, e.Note(entity.NoteCode) == entity.CodeInImage
	if w.Pin {
		w.Digest = e.Note(entity.NoteDigest)
	}
	return w
}
