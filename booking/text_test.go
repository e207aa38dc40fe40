package booking_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"trainbooking.dev/booking"
)

func TestCleanTextTrimsNormalizesAndLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, clean, problem string
	}{
		{"as it is", "Jaipur", "Jaipur", ""},
		{"trimmed", "\t Jaipur\u00a0\n", "Jaipur", ""},
		{"composed", "Mu\u0308nchen", "München", ""},
		{"Hindi keeps its signs", "नई दिल्ली", "नई दिल्ली", ""},
		{"Hindi nukta is decomposed in NFC", "\u095b", "\u091c\u093c", ""},
		{"longest", strings.Repeat("क", 10), strings.Repeat("क", 10), ""},
		{"too long", strings.Repeat("क", 11), "", "must have 2 to 10 characters"},
		{"counted when composed", strings.Repeat("u\u0308", 10), strings.Repeat("ü", 10), ""},
		{"too short", "x", "", "must have 2 to 10 characters"},
		{"empty", "", "", "must not be empty"},
		{"blank", " \t ", "", "must not be empty"},
		{"control", "a\x00b", "", "must not contain control characters"},
		{"line end inside", "a\nb", "", "must not contain control characters"},
		{"C1 control", "a\u009fb", "", "must not contain control characters"},
		{"zero-width space", "a\u200bb", "", "must not contain invisible characters"},
		{"right-to-left override", "\u202eanna", "", "must not contain invisible characters"},
		{"joiners are allowed", "क्\u200dष", "क्\u200dष", ""},
		{"not UTF-8", "a\xffb", "", "must be valid UTF-8"},
	} {
		clean, problem := booking.CleanText(c.in, 2, 10)
		require.Equal(t, c.problem, problem, c.name)
		require.Equal(t, c.clean, clean, c.name)
	}
	clean, problem := booking.CleanText("  ", 0, 10)
	require.Empty(t, clean+problem, "empty where that is allowed")
}

func TestCleanNameRefusesWhatCannotBeSeen(t *testing.T) {
	t.Parallel()
	const (
		unseen   = "must not contain invisible characters"
		undefine = "must not contain private-use or unassigned characters"
		stray    = "must not contain joiners except between letters that join"
		nothing  = "must have a letter or digit"
	)
	for _, c := range []struct{ name, in, problem string }{
		{"Latin", "Düsseldorf Hbf", ""},
		{"a digit", "5", ""},
		{"a Roman numeral", "Ⅳ", ""},
		{"punctuation", "L’Hospitalet (St.) · 2/3 — “A&B”", ""},
		{"Hindi", "नई दिल्ली", ""},
		{"Thai", "กรุงเทพ", ""},
		{"Hangul", "서울", ""},
		{"Japanese", "東京・がわ", ""},
		{"a picture", "Blue 🚂", ""},
		{"a private-use picture", "Blue \uf8ff", undefine},
		{"a plane of private use", "a\U0010fffd", undefine},
		{"unassigned", "a\u0378", undefine},
		{"a noncharacter", "a\uffff", undefine},
		{"another noncharacter", "a\ufdd0", undefine},
		{"the last noncharacter", "a\U0010ffff", undefine},
		{"a control", "a\x00", "must not contain control characters"},
		{"a format character", "a\u200bb", unseen},
		{"too long", strings.Repeat("x", 51), "must have 1 to 50 characters"},
		{"a line separator inside", "a\u2028b", unseen},
		{"a line separator at the end", "a\u2028", ""}, // trimmed
		{"a paragraph separator inside", "a\u2029b", unseen},
		{"Hangul filler alone", "\u3164", unseen},
		{"Hangul choseong filler", "\u115f", unseen},
		{"Hangul jungseong filler", "a\u1160", unseen},
		{"half-width Hangul filler", "\uffa0", unseen},
		{"blank Braille", "\u2800", unseen},
		{"blank Braille in a name", "w\u28001", unseen},
		{"combining grapheme joiner", "Agra\u034f", unseen},
		{"variation selector", "w1\ufe0f", unseen},
		{"variation selector supplement", "w1\U000e0100", unseen},
		{"Mongolian variation selector", "ᠠ\u180b", unseen},
		{"Khmer inherent vowel", "ក\u17b4", unseen},
		{"a tag", "a\U000e0061", unseen},
		{"reserved as ignorable", "a\U000e0fff", unseen},
		{"non-joiner alone", "\u200c", stray},
		{"joiner after a digit", "w1\u200d", stray},
		{"non-joiner in Latin", "a\u200cb", stray},
		{"joiner in Latin", "a\u200db", stray},
		{"joiner in a picture", "a 👩\u200d🚀", stray},
		{"joiner after a virama", "क्\u200dष", ""},
		{"non-joiner after a virama", "क्\u200cष", ""},
		{"joiner twice", "क्\u200d\u200dष", stray},
		{"joiner after a letter of Hindi", "क\u200dष", stray},
		{"joiner in Sinhala", "ශ්\u200dරී ලංකා", ""},
		{"joiner at the end in Malayalam", "ഷൊര്\u200dണൂര്\u200d", ""},
		{"joiner before the virama in Bengali", "র\u200d্যাডিসন", ""},
		{"joiner before the virama in Kannada", "ರ\u200d್ಯ", ""},
		{"non-joiner in Persian", "نجف\u200cآباد", ""},
		{"non-joiner after a mark in Persian", "نجفِ\u200cآباد", ""},
		{"non-joiner after a letter that joins no next one", "ا\u200cب", stray},
		{"non-joiner at the end of a word", "نجف\u200c آباد", stray},
		{"joiner in Arabic", "ب\u200dب", stray},
		{"punctuation alone", "—", nothing},
		{"a picture alone", "🚂", nothing},
		{"a mark alone", "\u0301", nothing},
	} {
		clean, problem := booking.CleanName(" "+c.in+"\t", 1, 50)
		require.Equal(t, c.problem, problem, c.name)
		require.Equal(t, problem == "", clean != "", c.name)
	}
}

func TestFoldIgnoresCaseAndComposition(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"Jaipur", "jaipur", "JAIPUR", "  Jaipur "},
		{"Große Straße", "GROSSE STRASSE", "große straße", "GROẞE STRAẞE"},
		{"München", "Mu\u0308nchen", "MÜNCHEN", "MU\u0308NCHEN"},
		{"Πειραιάς", "ΠΕΙΡΑΙΆΣ"},
		{"दिल्ली"},
		{"Isparta", "isparta", "ISPARTA"},
		{"İzmir", "i\u0307zmir", "I\u0307ZMIR"},
		{"Kırıkkale"},
		{"K\u00fcln", "\u212a\u00fcln"}, // the Kelvin sign is a K
		{"ẖ", "h\u0331", "H\u0331"},
	} {
		for _, name := range same {
			require.Equal(t, booking.Fold(same[0]), booking.Fold(name), "%q and %q", same[0], name)
		}
	}
	for _, names := range [][2]string{
		{"Jaipur", "Jaipur 2"},
		{"Munchen", "München"},
		{"दिल्ली", "दिल्लि"},
		{"Kırıkkale", "Kirikkale"}, // a dotless i is another letter
		{"İzmir", "Izmir"},         // and so is a dotted one
		{"a b", "a  b"},
	} {
		require.NotEqual(t, booking.Fold(names[0]), booking.Fold(names[1]), "%q and %q", names[0], names[1])
	}
}

func TestFoldIgnoresTheCaseOfEveryLetter(t *testing.T) {
	t.Parallel()
	for r := range unicode.MaxRune {
		if other := unicode.SimpleFold(r); other != r {
			require.Equal(t, booking.Fold(string(r)), booking.Fold(string(other)), "%U and %U", r, other)
			require.Equal(t, booking.Fold(string(r)), booking.Fold(booking.Fold(string(r))), "%U", r)
		}
	}
}

func TestSearchKeyIsTheSameHoweverANameIsSpelled(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"dusseldorf hbf", "Düsseldorf Hbf", "Dusseldorf Hbf", "DU\u0308SSELDORF HBF"},
		{"istanbul", "İstanbul", "Istanbul", "ISTANBUL", "ıstanbul"},
		{"igdir", "IĞDIR", "Iğdır", "igdir"},
		{"θηβα", "Θήβα", "ΘΗΒΑ", "ΘΉΒΑ"},
		{"πειραιασ", "Πειραιάς", "ΠΕΙΡΑΙΑΣ"},
		{"new delhi", "New Delhi", "new  delhi", "New\u00a0Delhi", " New\u3000\u2009Delhi "},
		{"saint denis", "Saint-Denis", "Saint\u2010Denis", "Saint\u2011Denis", "Saint – Denis", "SAINT DENIS", "Saint--Denis-"},
		{"grosse strasse", "Große Straße", "GROẞE STRASSE"},
		{"lodz", "Łódź", "ŁÓDŹ", "Lodz"},
		{"da nang", "Đà Nẵng", "Da Nang"},
		{"osterport", "Østerport"},
		{"калуга", "КАЛУГА"},
		{"орел", "Орёл"},
		{"hl5", "ℌＬ⁵"},
		{"agra", "Agra", "Agra\u034f", "Agra\ufe0f"},
		{"نجفاباد", "نجف\u200cآباد", "نَجَفآباد"},
		{"ירושלים", "יְרוּשָׁלַיִם"},
		{"फजाबाद", "फ\u093cज\u093cाबाद"},
		{"", "", " "},
		{"—", "—", " — "},
	} {
		for _, name := range same {
			require.Equal(t, same[0], booking.SearchKey(name), "%q", name)
		}
	}
	for _, names := range [][2]string{
		{"पुणे", "पणे"},    // its marks are vowels
		{"กิน", "กน"},      // and so here
		{"दिल्ली", "दलली"}, // and the virama
		{"がわ", "かわ"},       // other syllables
		{"New Delhi", "NewDelhi"},
		{"Agra 1", "Agra 2"},
		{"—", "…"},
	} {
		require.NotEqual(t, booking.SearchKey(names[0]), booking.SearchKey(names[1]), "%q and %q", names[0], names[1])
	}
}

func FuzzSearchKey(f *testing.F) {
	for _, s := range []string{"Große Straße", "İı", "\u0345\u0301α", "ﬃ", "Saint\u2010 Denis", "\u3164", "Ꭰꭰ", "ᾳ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key := booking.SearchKey(s)
		if !utf8.ValidString(s) {
			return // must not panic
		}
		require.Equal(t, key, booking.SearchKey(booking.Fold(s)), "of names that are the same, the same key")
		require.Equal(t, key, booking.SearchKey(norm.NFD.String(s)), "however it is composed")
		require.Equal(t, strings.TrimSpace(s) == "", key == "")
		train := booking.Train{Stops: []booking.Stop{{Station: "x" + s}}}
		require.Zero(t, train.Position(booking.SearchKey("x"+s)), "a stop is found by its key")
	})
}

func BenchmarkSearchKey(b *testing.B) {
	for _, name := range []string{"mumbai", "New Delhi", "Saint-Denis", "Düsseldorf Hbf"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				booking.SearchKey(name)
			}
		})
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add(" Mu\u0308nchen\t", 1, 255)
	f.Add("\u095b\u2000", 0, 1)
	f.Add("a\xff", 3, 2)
	f.Fuzz(func(t *testing.T, s string, shortest, longest int) {
		clean, problem := booking.CleanText(s, shortest, longest)
		if problem != "" {
			require.Empty(t, clean)
			return
		}
		again, problem := booking.CleanText(clean, shortest, longest)
		require.Empty(t, problem)
		require.Equal(t, clean, again, "idempotent")
		require.True(t, utf8.ValidString(clean) && norm.NFC.IsNormalString(clean))
		require.False(t, strings.ContainsFunc(clean, unicode.IsControl))
		require.Equal(t, strings.TrimSpace(clean), clean)
		n := utf8.RuneCountInString(clean)
		require.True(t, shortest <= n && n <= longest)
		require.Equal(t, booking.Fold(s), booking.Fold(clean), "cleaning keeps the name")
	})
}

// FuzzCleanName checks that no name has a character that is ignored when text is displayed.
func FuzzCleanName(f *testing.F) {
	f.Add("नजफ\u200cआबाद")
	f.Add("w1\u200d")
	f.Add("क्\u200dष \u3164")
	f.Fuzz(func(t *testing.T, s string) {
		clean, problem := booking.CleanName(s, 1, 255)
		if problem != "" {
			require.Empty(t, clean)
			return
		}
		text, problem := booking.CleanText(s, 1, 255)
		require.Empty(t, problem)
		require.Equal(t, text, clean, "a name is found by the text that was given")
		again, problem := booking.CleanName(clean, 1, 255)
		require.Empty(t, problem)
		require.Equal(t, clean, again, "idempotent")
		for _, r := range strings.NewReplacer("\u200c", "", "\u200d", "").Replace(clean) {
			require.True(t, unicode.IsGraphic(r), "%U", r)
			require.False(t, unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point), "%U", r)
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Große Straße", "İı", "\u1e96", "\u0345\u0301α", "ΐ", "ﬃ", "Ꭰꭰ", " दिल्ली "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			booking.Fold(s) // must not panic
			return
		}
		folded := booking.Fold(s)
		require.Equal(t, folded, booking.Fold(folded), "idempotent")
		require.Equal(t, folded, booking.Fold(norm.NFD.String(s)), "however it is composed")
		require.Equal(t, folded, booking.Fold(norm.NFC.String(s)))
		require.Equal(t, folded, booking.Fold(" "+s+"\t"), "untrimmed")
	})
}
