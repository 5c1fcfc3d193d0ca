package i18n

import (
	"archive/zip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

//go:generate go run ../bin/translations -root ..

// resources is a zip archive of the translations, one file per language in the format of the IBM Cloud CLI: a list of
// {"id", "translation"}. If the English text of an entry has changed, its "description" contains the previous English
// text.
//
//go:embed resources.zip
var resources string

// Catalog translates Messages into one language. It loads the file of its language on first use. English needs no
// file, because the IDs of Messages are the English texts. The zero Catalog uses English. A Catalog is safe for
// concurrent use.
type Catalog struct {
	locale    string
	once      sync.Once
	localizer *goi18n.Localizer // nil for English
}

// New returns the catalog of a locale. It uses English for an unknown locale.
func New(locale string) *Catalog { return &Catalog{locale: locale} }

// Locale returns the locale of the catalog.
func (c *Catalog) Locale() string {
	if c == nil || c.locale == "" {
		return English
	}
	return c.locale
}

// Translate returns a Message in the language of the catalog. It returns the English text if there is no translation.
func (c *Catalog) Translate(m Message) string { return c.TranslateFunc(m, nil) }

// TranslateFunc is like Translate, but formats the arguments: format receives the name and the value of each
// placeholder and returns the text that replaces it. A nil format inserts the values unchanged. A value that is a
// Message is translated recursively.
func (c *Catalog) TranslateFunc(m Message, format func(name, value string) string) string {
	if m.IsZero() {
		return ""
	}
	text := c.text(m)
	if len(m.Args) == 0 {
		return fill(text, m, nil)
	}
	formatted := m
	formatted.Args = make(map[string]any, len(m.Args))
	for name, value := range m.Args {
		switch v := value.(type) {
		case Message:
			formatted.Args[name] = c.TranslateFunc(v, format) // formats its own arguments
		default:
			s := fmt.Sprint(v)
			if format != nil {
				s = format(name, s)
			}
			formatted.Args[name] = s
		}
	}
	return fill(text, formatted, nil)
}

// text returns the translation of a message with placeholders, in the plural form for its count. It returns the English
// text if there is no translation.
func (c *Catalog) text(m Message) string {
	if s, ok := c.translation(m); ok {
		return s
	}
	return m.english()
}

// translation returns the text in the resource file. It returns false if the file has no translation.
func (c *Catalog) translation(m Message) (string, bool) {
	if c.Locale() == English {
		return "", false
	}
	c.once.Do(func() { c.localizer = load(c.locale) })
	if c.localizer == nil {
		return "", false
	}
	config := goi18n.LocalizeConfig{MessageID: m.ID, TemplateParser: template.IdentityParser{}}
	if m.One != "" {
		config.PluralCount = m.Count
	}
	s, err := c.localizer.Localize(&config)
	return s, err == nil && s != ""
}

// load loads one resource file. It returns nil if the file does not exist or is invalid; the catalog then uses
// English.
func load(locale string) *goi18n.Localizer {
	tag, err := language.Parse(locale)
	if err != nil {
		return nil
	}
	name := "all." + locale + ".json"
	data, err := unpack(name)
	if err != nil {
		return nil
	}
	bundle := goi18n.NewBundle(tag)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	if _, err := bundle.ParseMessageFileBytes(data, name); err != nil {
		return nil
	}
	return goi18n.NewLocalizer(bundle, tag.String())
}

// unpack returns the content of one resource file.
func unpack(name string) ([]byte, error) {
	z, err := zip.NewReader(strings.NewReader(resources), int64(len(resources)))
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(z, name)
}
