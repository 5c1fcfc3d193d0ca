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

// resources are the texts by language, in the form of the IBM Cloud CLI: a list of {"id", "translation"}. An entry whose
// English text has changed has a "description" that says what it was. They are packed, a fifth of their size.
//
//go:embed resources.zip
var resources string

// Catalogue puts Messages into one language. It reads the file of that language when it is first needed, and no other;
// English is in the Messages themselves. The zero Catalogue speaks English. It is safe for concurrent use.
type Catalogue struct {
	locale    string
	once      sync.Once
	localizer *goi18n.Localizer // nil for English
}

// New returns the catalogue of a locale, one of Locales; another one speaks English.
func New(locale string) *Catalogue { return &Catalogue{locale: locale} }

// Locale is the locale that the catalogue speaks.
func (c *Catalogue) Locale() string {
	if c == nil || c.locale == "" {
		return English
	}
	return c.locale
}

// Say puts a Message into the catalogue's language. A text that has no translation stays English.
func (c *Catalogue) Translate(m Message) string { return c.TranslateFunc(m, nil) }

// TranslateFunc is Say with a say in how arguments look: dress gets the name and the value of each placeholder, and
// returns what is put in its place. A value that is a Message is put into the language first.
func (c *Catalogue) TranslateFunc(m Message, dress func(name, value string) string) string {
	if m.IsZero() {
		return ""
	}
	text := c.text(m)
	if len(m.Args) == 0 {
		return fill(text, m, nil)
	}
	dressed := m
	dressed.Args = make(map[string]any, len(m.Args))
	for name, value := range m.Args {
		switch v := value.(type) {
		case Message:
			dressed.Args[name] = c.TranslateFunc(v, dress) // dressed already, inside
		default:
			s := fmt.Sprint(v)
			if dress != nil {
				s = dress(name, s)
			}
			dressed.Args[name] = s
		}
	}
	return fill(text, dressed, nil)
}

// text is the form of a message that the language and the number ask for, with its placeholders.
func (c *Catalogue) text(m Message) string {
	if s, ok := c.translation(m); ok {
		return s
	}
	return m.english()
}

// translation is the text of the resource file; false when it has none.
func (c *Catalogue) translation(m Message) (string, bool) {
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

// load reads one resource file; nil when there is none that can be read, so that English is spoken.
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

// unpack returns one of the resource files.
func unpack(name string) ([]byte, error) {
	z, err := zip.NewReader(strings.NewReader(resources), int64(len(resources)))
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(z, name)
}
