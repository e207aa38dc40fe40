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
