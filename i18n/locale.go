package i18n

import (
	"strings"

	"golang.org/x/text/language"
)

// English is the locale of the texts in the source code.
const English = "en_US"

// locales returns the locales of the IBM Cloud CLI. Each has a file in resources.
func locales() []string {
	return []string{English, "de_DE", "es_ES", "fr_FR", "it_IT", "ja_JP", "ko_KR", "pt_BR", "zh_Hans", "zh_Hant"}
}

// Pick returns the locale to use: the locale configured in the CLI, or else the first non-empty variable of LC_ALL,
// LC_MESSAGES and LANG. It returns the closest supported locale, or English if none matches.
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

// nearest returns the supported locale with the same language and script: zh_Hant for "zh_TW", de_DE for "de_AT".
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
