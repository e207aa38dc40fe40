package booking

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name of a train or station, in characters.
const MaxName = 255

// CleanText trims s and normalizes it to Unicode NFC. If s is not UTF-8, has a control or
// format character, or has a length outside shortest to longest (in characters), problem
// describes that and clean is "". Use it to look for a name, and CleanName for a new one.
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
	case strings.ContainsFunc(s, format):
		return "", "must not contain invisible characters"
	}
	return s, ""
}

// CleanName is CleanText for a name that somebody gives to something. It also refuses what a
// reader cannot see, so that no two names look alike because of it, and characters that look
// different, or like nothing, on each device. A name needs a letter or digit.
func CleanName(s string, shortest, longest int) (clean, problem string) {
	clean, problem = CleanText(s, shortest, longest)
	switch {
	case problem != "":
		return "", problem
	case strings.ContainsFunc(clean, invisible):
		return "", "must not contain invisible characters"
	case strings.ContainsFunc(clean, undefined):
		return "", "must not contain private-use or unassigned characters"
	case strings.ContainsFunc(clean, joiner) && strayJoiner(clean):
		return "", "must not contain joiners except between letters that join"
	case !strings.ContainsFunc(clean, alphanumeric):
		return "", "must have a letter or digit"
	}
	return clean, ""
}

// joiner reports whether r is one of the two joiners, which many Indian scripts and Persian need.
func joiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// format reports whether r is a format character, with which two different names could look
// alike or a name could read backwards. The joiners do not count.
func format(r rune) bool { return unicode.Is(unicode.Cf, r) && !joiner(r) }

// ignorable reports whether r is a Default_Ignorable_Code_Point or a format character.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// invisible reports whether r is not to be seen, and neither a joiner nor an ordinary space.
func invisible(r rune) bool {
	const blankBraille = '\u2800' // a symbol, to Unicode
	return ignorable(r) && !joiner(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == blankBraille
}

// undefined reports whether Unicode does not define what r is.
func undefined(r rune) bool { return unicode.In(r, unicode.Co, unicode.Cn) }

func alphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

var (
	// joining checks joiners by RFC 5892, appendices A.1 and A.2: after a virama, or a non-joiner
	// between letters of which the first joins the next.
	joining = precis.NewFreeform()
	// joinedRa removes the joiners between ra and virama, which Bengali and Kannada need and the RFC
	// overlooks.
	joinedRa = strings.NewReplacer("\u09b0\u200d\u09cd", "\u09b0\u09cd", "\u0cb0\u200d\u0ccd", "\u0cb0\u0ccd")
)

// strayJoiner reports whether s has a joiner that joins nothing, and so is invisible.
func strayJoiner(s string) bool {
	for word := range strings.FieldsFuncSeq(joinedRa.Replace(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !joiner(r)
	}) {
		if _, err := joining.String(word); err != nil && strings.ContainsFunc(word, joiner) {
			return true
		}
	}
	return false
}

// Fold returns s trimmed, case folded and in NFC, for comparing names: two names are the
// same if their folded forms are equal. People search by the looser SearchKey.
func Fold(s string) string {
	s = strings.TrimSpace(s)
	if isASCII(s) {
		return strings.ToLower(s) // same result, faster: a search folds many names
	}
	// ToLower because cases.Fold swaps the cases of Cherokee.
	return norm.NFC.String(strings.ToLower(cases.Fold().String(norm.NFC.String(s))))
}

// plainLetters replaces letters that people type as others, and that Unicode does not decompose.
var plainLetters = strings.NewReplacer("ı", "i", "ø", "o", "ł", "l", "đ", "d")

// SearchKey returns the form of a name by which people find it, however they spell it. It is Fold
// without diacritics, with a dot on every i, and with a space for each run of spaces and hyphens.
// Names that are the same have the same key.
func SearchKey(name string) string {
	folded := Fold(name)
	key := folded
	if !isASCII(folded) {
		key = withoutMarks(norm.NFKD.String(Fold(norm.NFKD.String(folded))))
	} else if !strings.ContainsAny(folded, " -\t\n\v\f\r") {
		return folded // same result, faster
	}
	if key = strings.Join(strings.FieldsFunc(key, separator), " "); key == "" {
		return folded // such as a dash
	}
	return key
}

func separator(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) }

// mayHaveKey reports whether a name can have a search key. It is fast, and false for most names with
// another key.
func mayHaveKey(name, key string) bool {
	if name == "" || key == "" || name[0] >= utf8.RuneSelf || !alphanumeric(rune(name[0])) {
		return true
	}
	return unicode.ToLower(rune(name[0])) == rune(key[0])
}

// withoutMarks removes diacritics and what is ignorable from text in NFKD.
func withoutMarks(s string) string {
	plain := make([]byte, 0, len(s))
	for i, r := range s {
		if !ignorable(r) && !diacritic(norm.NFKD.PropertiesString(s[i:]).CCC()) {
			plain = utf8.AppendRune(plain, r)
		}
	}
	return plainLetters.Replace(string(plain))
}

// diacritic reports whether the marks of a combining class are often left out: those of Latin, Greek,
// Cyrillic, Hebrew and Arabic, and the nukta. The other marks of Asian scripts are vowels, tones and
// the like: without them most names would be equal to others.
func diacritic(class uint8) bool {
	const nukta, firstPoint, lastPoint, firstPlaced = 7, 10, 36, 200
	return class == nukta || firstPoint <= class && class <= lastPoint || class >= firstPlaced
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
