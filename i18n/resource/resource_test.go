package resource

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	plain := func(id, translation string) Entry { return Entry{ID: id, Translation: Forms{"": translation}} }
	texts := map[string]Text{
		"Runtime {{.Name}} is not deployed here.": {Other: "Runtime {{.Name}} is not deployed here."},
		"Stays.":                      {Other: "Stays."},
		"Entirely other words.":       {Other: "Entirely other words."},
		"The file {{.Path}} is gone.": {Other: "The file {{.Path}} is gone."},
		"{{.Count}} checks failed.":   {One: "{{.Count}} check failed.", Other: "{{.Count}} checks failed."},
		"It is as it was at first.":   {Other: "It is as it was at first."},
	}
	old := []Entry{
		plain("Runtime {{.Name}} is not deployed.", "Laufzeit {{.Name}} ist nicht implementiert."),
		plain("Stays.", "Bleibt."),
		plain("Was dropped.", "Ist weg."),
		plain("The file {{.File}} is gone.", "Die Datei {{.File}} ist weg."), // its placeholder would not be replaced
		plain("{{.Count}} checks failed.", "{{.Count}} Prüfungen."),          // has no plural forms
		{ID: "It is as it was in the meantime.", Description: "stale: It is as it was at first.", Translation: Forms{"": "Wie zuerst."}},
	}
	want := []Entry{
		plain("It is as it was at first.", "Wie zuerst."),
		{
			ID: "Runtime {{.Name}} is not deployed here.", Description: "stale: Runtime {{.Name}} is not deployed.",
			Translation: Forms{"": "Laufzeit {{.Name}} ist nicht implementiert."},
		},
		plain("Stays.", "Bleibt."),
	}
	got := Merge(old, texts)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(got, Merge(got, texts)); diff != "" {
		t.Errorf("Merge is not idempotent, -first +second:\n%s", diff)
	}
}

func TestWriteOneEntryPerLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.de_DE.json")
	list := []Entry{
		{ID: "A <b>.", Description: "stale: A.", Translation: Forms{"": "Ein <b>."}},
		{ID: "{{.Count}} words", Translation: Forms{"one": "ein Wort", "other": "{{.Count}} Wörter"}},
	}
	if err := Write(path, list); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `[
{"id":"A <b>.","description":"stale: A.","translation":"Ein <b>."},
{"id":"{{.Count}} words","translation":{"one":"ein Wort","other":"{{.Count}} Wörter"}}
]
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, got); diff != "" {
		t.Errorf("read back, -want +got:\n%s", diff)
	}
}
