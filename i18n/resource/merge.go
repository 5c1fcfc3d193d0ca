package resource

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// minSimilarity is the minimum similarity, from 0 to 1, of two texts that count as versions of the same text.
const minSimilarity = 0.6

var placeholder = regexp.MustCompile(`{{\.\w+}}`)

// Placeholders returns the placeholders of a text, sorted and without duplicates.
func Placeholders(text string) []string {
	list := placeholder.FindAllString(text, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

// Merge returns the existing translations of one language for the texts of the source, sorted by ID. For a changed
// text it returns the translation of the previous text, marked as stale. It drops the translations of texts that no
// longer exist.
func Merge(old []Entry, texts map[string]Text) []Entry {
	have := make(map[string]Entry)
	var unmatched []Entry // entries whose text was removed or changed
	for _, e := range old {
		if text, ok := texts[e.ID]; !ok {
			unmatched = append(unmatched, e)
		} else if matches(e, text) {
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
		for _, e := range unmatched {
			if score := similarity(e.translates(), id); have[id].ID == "" && score >= minSimilarity && matches(e, text) {
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
		if p.entry.translates() == p.id { // the text was changed back
			e.Description = ""
		}
		have[p.id] = e
	}
	return slices.SortedFunc(maps.Values(have), func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
}

// matches reports whether a translation can be used for a text: it must have the same placeholders, and it must have
// plural forms if and only if the text has plural forms.
func matches(e Entry, text Text) bool {
	for _, form := range e.Translation {
		if !slices.Equal(Placeholders(form), Placeholders(text.Other)) {
			return false
		}
	}
	return e.Translation.Plural() == (text.One != "")
}

// similarity returns the share of words that two texts have in common, from 0 to 1. A word that occurs n times counts n
// times.
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
