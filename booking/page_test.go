package booking_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestCursorRoundTripsThroughItsText(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		noon.Add(123_456 * time.Microsecond),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	} {
		c := booking.Cursor{At: at, ID: uuid.New()}
		parsed, err := booking.ParseCursor(c.In('t'), 't')
		require.NoError(t, err)
		require.Equal(t, c, parsed)
		require.False(t, parsed.IsZero())
	}
	require.Empty(t, booking.Cursor{}.In('t'))
	start, err := booking.ParseCursor("", 't')
	require.NoError(t, err)
	require.True(t, start.IsZero())
}

func TestMalformedCursorsAreRefused(t *testing.T) {
	t.Parallel()
	c := booking.Cursor{At: noon, ID: anna}.In('t')
	for _, s := range []string{"x", " ", c[:32], c[1:], "o" + c[1:], c + "A", c + "=", c + "\n", c[:10] + "\r\n" + c[10:], "+" + c[1:]} {
		_, err := booking.ParseCursor(s, 't')
		require.ErrorIs(t, err, booking.ErrMalformedCursor, "%q", s)
	}
}

// Postgres has no time before 4713 BC, for example.
func TestCursorsOfTimesThatNoStoreHasAreRefused(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		time.UnixMicro(math.MinInt64),
		time.Date(-7537, 5, 18, 0, 0, 0, 0, time.UTC),
		time.Time{}.Add(-time.Microsecond),
		time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.UnixMicro(math.MaxInt64),
	} {
		_, err := booking.ParseCursor(booking.Cursor{At: at, ID: anna}.In('t'), 't')
		require.ErrorIs(t, err, booking.ErrMalformedCursor, at)
	}
}

func TestFirstPageStartsBeforeAllItems(t *testing.T) {
	t.Parallel()
	item := booking.Cursor{At: noon, ID: anna}
	require.Equal(t, -1, booking.PageRequest{}.Start().Compare(item))
	require.Equal(t, 1, booking.PageRequest{NewestFirst: true}.Start().Compare(item))
	for _, newest := range []bool{false, true} {
		require.Equal(t, item, booking.PageRequest{After: item, NewestFirst: newest}.Start())
	}
}

func TestCursorsAreOrderedByTimeThenID(t *testing.T) {
	t.Parallel()
	ordered := []booking.Cursor{
		{},
		{At: noon, ID: uuid.UUID{0: 1}},
		{At: noon, ID: uuid.UUID{0: 1, 15: 200}},
		{At: noon, ID: uuid.UUID{0: 2}},
		{At: noon.Add(time.Microsecond)},
	}
	for i, c := range ordered {
		for j, d := range ordered {
			require.Equal(t, min(1, max(-1, i-j)), c.Compare(d), "%d and %d", i, j)
		}
	}
}

func TestPageHasAtMostLimitItems(t *testing.T) {
	t.Parallel()
	cursor := func(n int) booking.Cursor { return booking.Cursor{At: noon.Add(time.Duration(n))} }
	for _, c := range []struct {
		items, limit, want int
		more               bool
	}{
		{0, 2, 0, false},
		{2, 2, 2, false},
		{3, 2, 2, true},
		{3, 0, 3, false},
	} {
		items := make([]int, c.items)
		for i := range items {
			items[i] = i
		}
		page := booking.PageOf(items, c.limit, cursor)
		require.Len(t, page.Items, c.want)
		require.Equal(t, c.more, !page.Next.IsZero())
		if c.more {
			require.Equal(t, cursor(c.want-1), page.Next, "the last item of this page")
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add(booking.Cursor{At: noon, ID: anna}.In('t'))
	f.Add(booking.Cursor{At: noon, ID: anna}.In('t')[:30] + "\nA")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := booking.ParseCursor(s, 't')
		if err != nil {
			require.ErrorIs(t, err, booking.ErrMalformedCursor)
			require.True(t, c.IsZero())
			return
		}
		if !c.IsZero() {
			require.Equal(t, s, c.In('t'), "one cursor has one spelling")
		}
		again, err := booking.ParseCursor(c.In('t'), 't')
		require.NoError(t, err)
		require.Zero(t, c.Compare(again))
	})
}
