package booking

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name of a train or station, in characters.
const MaxName = 255

// CleanText trims s and brings it to Unicode NFC. The sentence says what is wrong
// with it and is "" when nothing is: not UTF-8, a control or invisible character, or a
// length outside shortest to longest, counted in characters.
func CleanText(s string, shortest, longest int) (clean, sentence string) {
	if !utf8.ValidString(s) {
		return "", "must be valid UTF-8"
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && shortest > 0:
		return "", "must not be empty"
	case n < shortest || n > longest:
		return "", fmt.Sprintf("must have %d to %d characters", shortest, longest)
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", "must not contain control characters"
	case strings.ContainsFunc(s, invisible):
		return "", "must not contain invisible characters"
	}
	return s, ""
}

// invisible reports whether r only formats: one could make two names that look alike, or
// one that reads backwards. The two joiners are letters' parts in many scripts of India.
func invisible(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return unicode.Is(unicode.Cf, r) && r != nonJoiner && r != joiner
}

// Fold returns the form under which two names are the same: NFC, case folded. It
// finds jaipur for Jaipur and keeps usernames and emails unique.
func Fold(s string) string {
	s = strings.TrimSpace(s)
	if isASCII(s) {
		return strings.ToLower(s) // the same, and a search folds many names
	}
	// Cherokee is the one script of which cases.Fold swaps the cases.
	return norm.NFC.String(strings.ToLower(cases.Fold().String(norm.NFC.String(s))))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
