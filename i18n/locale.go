package i18n

import (
	"strings"

	"golang.org/x/text/language"
)

// English is the locale of the texts in the source.
const English = "en_US"

// locales are the locales of the IBM Cloud CLI; each has a file in resources.
func locales() []string {
	return []string{English, "de_DE", "es_ES", "fr_FR", "it_IT", "ja_JP", "ko_KR", "pt_BR", "zh_Hans", "zh_Hant"}
}

// Pick chooses the locale: the one configured in the CLI, else the first of the system's settings LC_ALL,
// LC_MESSAGES and LANG that is not empty, matched to the nearest of Locales; English when nothing matches.
func Pick(configured string, getenv func(string) string) string {
	wanted := configured
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if wanted == "" {
			wanted = getenv(name)
		}
	}
	wanted, _, _ = strings.Cut(wanted, ".") // de_DE.UTF-8
	wanted, _, _ = strings.Cut(wanted, "@") // de_DE@euro
	for _, known := range locales() {
		if strings.EqualFold(wanted, known) {
			return known
		}
	}
	if wanted == "" || wanted == "C" || wanted == "POSIX" || strings.HasPrefix(wanted, "en") {
		return English
	}
	return nearest(wanted)
}

// nearest matches by language and script: "zh_TW" is zh_Hant, "de_AT" is de_DE.
func nearest(wanted string) string {
	tag, err := language.Parse(wanted)
	if err != nil {
		return English
	}
	locales := locales()
	tags := make([]language.Tag, len(locales))
	for i, l := range locales {
		tags[i] = language.MustParse(l)
	}
	_, i, confidence := language.NewMatcher(tags).Match(tag)
	if confidence == language.No {
		return English
	}
	return locales[i]
}
