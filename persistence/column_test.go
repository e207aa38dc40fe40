package persistence_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
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

// TestEveryFieldOfAScheduleHasAPlace fails if the schedule below lacks a field.
func TestEveryFieldOfAScheduleHasAPlace(t *testing.T) {
	t.Parallel()
	want := booking.Schedule{
		Name: `Nacht "🚆"`, Capacity: 20_000, OnSale: true, TimeZone: "Europe/Berlin",
		Calendar: booking.Calendar{
			Days: booking.EveryDay, From: booking.FirstDate, Until: booking.LastDate,
			Exceptions: []booking.Exception{{Date: 7, Runs: true}, {Date: 8}},
		},
		SoldDaysAhead: 730,
		Stops: []booking.StopTime{
			{Station: "A", Departs: booking.LocalTimeOf(0)},
			{Station: "B", Arrives: booking.LocalTimeOf(booking.MaxLocalTime), TimeZone: "Asia/Kolkata"},
		},
	}
	elsewhere := []string{"ID", "CreatedAt", "UpdatedAt"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[booking.Schedule]()) {
		set := !reflect.ValueOf(want).FieldByIndex(field.Index).IsZero()
		require.NotEqual(t, slices.Contains(elsewhere, field.Name), set, field.Name)
	}
	text, err := persistence.EncodeSchedule(&want)
	require.NoError(t, err)
	got, err := persistence.DecodeSchedule(text)
	require.NoError(t, err)
	require.Equal(t, want, got)

	none := booking.Schedule{Calendar: booking.Calendar{From: 1, Until: 1}}
	text, err = persistence.EncodeSchedule(&none)
	require.NoError(t, err)
	got, err = persistence.DecodeSchedule(text)
	require.NoError(t, err)
	require.Equal(t, none, got)
	_, err = persistence.DecodeSchedule("[]")
	require.ErrorContains(t, err, "decode schedule")
}

func TestScheduleRetiresWithItsLastDeparture(t *testing.T) {
	t.Parallel()
	until, err := booking.ParseDate("2027-03-27")
	require.NoError(t, err)
	s := booking.Schedule{
		TimeZone: "Europe/Berlin", Calendar: booking.Calendar{From: 1, Until: until},
		Stops: []booking.StopTime{{Departs: booking.LocalTimeOf(22 * time.Hour)}, {Arrives: booking.LocalTimeOf(30 * time.Hour)}},
	}
	want := time.Date(2027, 3, 28, 5, 0, 0, 0, time.UTC).Add(booking.RetireAfter)
	require.Equal(t, want, persistence.EncodeScheduleRetirement(&s), "the clock has gone forward")
	s.TimeZone = "Mars/Olympus"
	require.True(t, persistence.EncodeScheduleRetirement(&s).After(want.AddDate(1000, 0, 0)), "nobody knows when")
}

func TestDeparturesAreWithinTheirBounds(t *testing.T) {
	t.Parallel()
	id := booking.NewScheduleID()
	above, upTo := persistence.DepartureBounds(id)
	for _, date := range []booking.Date{booking.FirstDate, booking.LastDate} {
		departure := id.Departure(date)
		require.Negative(t, bytes.Compare(above[:], departure[:]))
		require.Positive(t, bytes.Compare(upTo[:], departure[:]))
	}
	next := id
	next[11]++
	departure := next.Departure(booking.FirstDate)
	require.Negative(t, bytes.Compare(upTo[:], departure[:]))
}
