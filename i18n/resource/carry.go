package resource

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// alike is how much of two texts must be the same words for one to be the other, changed: 0 none, 1 all.
const alike = 0.6

var placeholder = regexp.MustCompile(`{{\.\w+}}`)

// Placeholders returns the placeholders of a text, each once, in order of their names.
func Placeholders(text string) []string {
	list := placeholder.FindAllString(text, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

// Carry returns the translations of one language for the texts of the source: those that there are; of a text that was
// changed the translation of what it was, marked stale; and of no others. It is sorted by ID.
func Carry(old []Entry, texts map[string]Text) []Entry {
	have := make(map[string]Entry)
	var left []Entry // their text is gone, or was changed
	for _, e := range old {
		if text, ok := texts[e.ID]; !ok {
			left = append(left, e)
		} else if fits(e, text) {
			have[e.ID] = e
		}
	}
	type pair struct {
		id    string
		entry Entry
		score float64
	}
	var pairs []pair
	for id, text := range texts {
		for _, e := range left {
			if score := similarity(e.translates(), id); have[id].ID == "" && score >= alike && fits(e, text) {
				pairs = append(pairs, pair{id, e, score})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id), cmp.Compare(a.entry.ID, b.entry.ID))
	})
	taken := make(map[string]bool)
	for _, p := range pairs {
		if have[p.id].ID != "" || taken[p.entry.ID] {
			continue
		}
		taken[p.entry.ID] = true
		e := Entry{ID: p.id, Description: stale + p.entry.translates(), Translation: p.entry.Translation}
		if p.entry.translates() == p.id { // changed back
			e.Description = ""
		}
		have[p.id] = e
	}
	return slices.SortedFunc(maps.Values(have), func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
}

// fits reports whether a translation can be shown for a text: it has the same placeholders, and plural forms when the
// text has.
func fits(e Entry, text Text) bool {
	for _, form := range e.Translation {
		if !slices.Equal(Placeholders(form), Placeholders(text.Other)) {
			return false
		}
	}
	return e.Translation.Plural() == (text.One != "")
}

// similarity is the share of words, with their number, that two texts have in common.
func similarity(a, b string) float64 {
	words, common := strings.Fields(a), 0
	total := len(words)
	for w := range strings.FieldsSeq(b) {
		total++
		if i := slices.Index(words, w); i >= 0 {
			words = slices.Delete(words, i, i+1)
			common++
		}
	}
	return 2 * float64(common) / float64(max(total, 1))
}

// English returns the entries of the English file.
func English(texts map[string]Text) []Entry {
	list := make([]Entry, 0, len(texts))
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		forms := Forms{"": id}
		if one := texts[id].One; one != "" {
			forms = Forms{"one": one, "other": id}
		}
		list = append(list, Entry{ID: id, Translation: forms})
	}
	return list
}
