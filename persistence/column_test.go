package persistence_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// FuzzStopsColumn decodes any text: it is an error, or encoding the result again preserves it.
func FuzzStopsColumn(f *testing.F) {
	written, err := persistence.EncodeList([]booking.Stop{{Station: "Delhi", DepartsAt: time.Date(2026, 12, 1, 6, 0, 0, 0, time.FixedZone("", 19800))}, {Station: "Mumbai"}})
	require.NoError(f, err)
	for _, seed := range []string{
		written, "null", "[]", "{}", "[null]", `[{"station":1}]`, `[{"Station":"a"}]`, `[{"station":"a","arrives_at":"2026-12-01T24:00:00Z"}]`,
		`[{"station":"a","departs_at":"0000-01-01T00:00:00Z"}]`, `[{"station":"\ud800"}]`, "[", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stops, err := new(persistence.StopsDecoder).Decode(text)
		if err != nil {
			require.ErrorContains(t, err, "decode stops")
			return
		}
		require.True(t, json.Valid([]byte(text)))
		written, err := persistence.EncodeList(stops)
		require.NoError(t, err)
		again, err := new(persistence.StopsDecoder).Decode(written)
		require.NoError(t, err)
		require.Len(t, again, len(stops))
		for i := range stops {
			require.Equal(t, stops[i].Station, again[i].Station)
			require.True(t, stops[i].ArrivesAt.Equal(again[i].ArrivesAt))
			require.True(t, stops[i].DepartsAt.Equal(again[i].DepartsAt))
		}
	})
}

// FuzzSeatsColumn decodes any text as seat numbers.
func FuzzSeatsColumn(f *testing.F) {
	for _, seed := range []string{"[1,20000]", "[]", "null", "[1.5]", `["1"]`, "[1e3]", "[99999999999999999999]", "{}", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := persistence.DecodeList[int](text); err != nil {
			require.ErrorContains(t, err, "decode list")
		}
	})
}

func TestTimesOfStopsKeepTheirOffset(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"2027-01-04T09:30:00+05:30", "2027-01-04T09:30:00.25-03:30", "2027-01-04T09:30:00Z", "2027-01-04T00:30:00+05:30",
	} {
		want, err := time.Parse(time.RFC3339Nano, text)
		require.NoError(t, err)
		for range 2 { // the second time its offset is known
			stops, err := new(persistence.StopsDecoder).Decode(`[{"station": "Delhi", "departs_at": "` + text + `"}]`)
			require.NoError(t, err)
			require.True(t, want.Equal(stops[0].DepartsAt), "%s is decoded as %s", text, stops[0].DepartsAt)
			require.Equal(t, text, stops[0].DepartsAt.Format(time.RFC3339Nano))
		}
	}
}
