package booking_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// at returns the local time in the form HH:MM.
func at(tb testing.TB, s string) booking.LocalTime {
	tb.Helper()
	t, err := booking.ParseLocalTime(s)
	require.NoError(tb, err)
	return t
}

func TestLocalTimeCountsFromTheBeginningOfItsDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string
		offset time.Duration
		same   string
	}{
		{"00:00", 0, "00:00"},
		{"0:00:00", 0, "00:00"},
		{"8:05", 8*time.Hour + 5*time.Minute, "08:05"},
		{"08:05:00", 8*time.Hour + 5*time.Minute, "08:05"},
		{"23:59:30", 24*time.Hour - 30*time.Second, "23:59:30"},
		{"24:00", 24 * time.Hour, "24:00"},
		{"25:10", 25*time.Hour + 10*time.Minute, "25:10"},
		{"107:00", 107 * time.Hour, "107:00"},
		{"999:59:59", 1000*time.Hour - time.Second, "999:59:59"},
		{"008:05", 8*time.Hour + 5*time.Minute, "08:05"},
	} {
		parsed := at(t, c.text)
		require.Equal(t, c.offset, parsed.Offset(), c.text)
		require.Equal(t, c.same, parsed.String(), c.text)
		require.Equal(t, booking.LocalTimeOf(c.offset), parsed, c.text)
		require.False(t, parsed.IsZero(), c.text)
	}
	require.Equal(t, at(t, "08:05"), booking.LocalTimeOf(8*time.Hour+5*time.Minute+time.Second-1))
}

func TestMidnightIsNotTheTimeThatIsNotGiven(t *testing.T) {
	t.Parallel()
	var none booking.LocalTime
	require.True(t, none.IsZero())
	require.NotEqual(t, none, at(t, "00:00"))
	require.Empty(t, none.String())
	require.Zero(t, none.Offset())
}

func TestLocalTimeIsTextInJSON(t *testing.T) {
	t.Parallel()
	type times struct {
		Arrives booking.LocalTime `json:"arrives,omitzero"`
		Departs booking.LocalTime `json:"departs,omitzero"`
	}
	text, err := json.Marshal(times{Departs: at(t, "00:00")})
	require.NoError(t, err)
	require.JSONEq(t, `{"departs":"00:00"}`, string(text))
	var got times
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, times{Departs: at(t, "00:00")}, got)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"arrives":""}`), &got), booking.ErrMalformedLocalTime)
}

func TestMalformedLocalTimesAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "8", "08", "0805", ":05", "08:", "08:5", "08:005", "08:60", "08:05:60", "08:05:5", "08:05:00:00", "1000:00",
		"-1:00", "+8:05", "08:-5", "08:+5", " 08:05", "08:05 ", "08:05:00.5", "8h05", "0x8:05", "1_0:00", "٠٨:٠٥", "08:05Z",
	} {
		_, err := booking.ParseLocalTime(s)
		require.ErrorIs(t, err, booking.ErrMalformedLocalTime, "%q", s)
	}
}

func FuzzParseLocalTime(f *testing.F) {
	for _, s := range []string{"08:05", "8:05", "23:59:30", "25:10", "999:59:59", "08:60", "-1:00", "08:05:00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := booking.ParseLocalTime(s)
		if err != nil {
			require.ErrorIs(t, err, booking.ErrMalformedLocalTime)
			require.Zero(t, parsed)
			return
		}
		require.False(t, parsed.IsZero())
		require.Equal(t, parsed, booking.LocalTimeOf(parsed.Offset()))
		require.True(t, parsed.Offset() >= 0 && parsed.Offset() < 1000*time.Hour)
		again, err := booking.ParseLocalTime(parsed.String())
		require.NoError(t, err)
		require.Equal(t, parsed, again)
	})
}
