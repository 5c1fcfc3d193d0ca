package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
)

// forms returns the encodings in which a secret can appear: plain, hexadecimal, URL-encoded, and in base64 at each of
// the three offsets at which it can begin in a longer text.
func forms(secret string) []string {
	list := []string{secret, hex.EncodeToString([]byte(secret)), url.QueryEscape(secret)}
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret + "yyy"))
		from, to := (shift*8+5)/6, (shift+len(secret))*8/6
		inner := text[from:to]
		list = append(list, inner, strings.NewReplacer("+", "-", "/", "_").Replace(inner))
	}
	return list
}

// find returns the names of the secrets that a text contains in any encoding.
func find(text string, secrets map[string]string) (names []string) {
	for name, secret := range secrets {
		for _, form := range forms(secret) {
			if strings.Contains(text, form) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}
