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

// CleanText trims s and normalizes it to Unicode NFC. If s is not UTF-8, has a control or
// invisible character, or has a length outside shortest to longest (in characters), problem
// describes that and clean is "".
func CleanText(s string, shortest, longest int) (clean, problem string) {
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

// invisible reports whether r is a format character, with which two different names could
// look alike or a name could read backwards. The two joiners are allowed: many Indian scripts
// need them.
func invisible(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return unicode.Is(unicode.Cf, r) && r != nonJoiner && r != joiner
}

// Fold returns s trimmed, case folded and in NFC, for comparing names: two names are the
// same if their folded forms are equal.
func Fold(s string) string {
	s = strings.TrimSpace(s)
	if isASCII(s) {
		return strings.ToLower(s) // same result, faster: a search folds many names
	}
	// ToLower because cases.Fold swaps the cases of Cherokee.
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
