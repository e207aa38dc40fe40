package gtfs

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// tidy returns a name in NFC, with one space for each run of spaces and control characters, and without
// characters that nobody sees. Two of these join letters in some scripts, and stay. What is not UTF-8 is
// returned as it is, for the train to be refused.
func tidy(s string) string {
	const nonJoiner, joiner = '\u200c', '\u200d'
	plain := func(r rune) bool {
		return r > ' ' && r < unicode.MaxASCII || r == ' '
	}
	if utf8.ValidString(s) && strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == nonJoiner || r == joiner:
				return r
			case unicode.IsSpace(r) || unicode.IsControl(r):
				return ' '
			case unicode.Is(unicode.Cf, r):
				return -1
			}
			return r
		}, norm.NFC.String(s))
	}
	return strings.Join(strings.Fields(s), " ") // a copy
}

// trainName returns the name of a train: "Bullet 322" if the trip has a number, and else "Red Line to
// Richmond". terminus is the last station.
func trainName(r *route, number, headsign, terminus string) string {
	line := r.short
	if line == "" {
		line = r.long
	}
	if number != "" {
		if line == "" || hasPrefixFold(number, line) {
			return number
		}
		return line + " " + number
	}
	if headsign == "" {
		headsign = terminus
	}
	if line == "" {
		line = "Train"
	}
	return line + " to " + headsign
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
