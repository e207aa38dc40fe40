package booking_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

func TestIDOfADepartureCarriesScheduleAndDate(t *testing.T) {
	t.Parallel()
	schedule, err := booking.ParseScheduleID("10d37399-0a4b-8b26-9e0c-6d1f00000000")
	require.NoError(t, err)
	require.True(t, schedule.Valid())
	departure := schedule.Departure(date(t, "2026-12-01"))
	require.Equal(t, "10d37399-0a4b-8b26-9e0c-6d1f09de0000", departure.String())
	require.Equal(t, "10d37399-0a4b-8b26-9e0c-6d1f09de0007", departure.Seat(7).String())
	require.Equal(t, "10d37399-0a4b-8b26-9e0c-6d1fffff0000", schedule.Departure(booking.LastDate).String())
	for _, d := range []booking.Date{-1, 0, booking.LastDate + 1} {
		require.Zero(t, schedule.Departure(d), "%s is no service day", d)
	}
}

func TestEveryIDOfADepartureLeadsToItsSchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		schedule := booking.DerivedScheduleID(rapid.String().Draw(t, "name"))
		d := booking.Date(rapid.IntRange(int(booking.FirstDate), int(booking.LastDate)).Draw(t, "date"))
		seat := rapid.IntRange(1, booking.MaxCapacity).Draw(t, "seat")
		departure := schedule.Departure(d)
		require.True(t, departure.Valid())
		for _, train := range []booking.TrainID{departure, departure.Seat(seat).Train(), booking.NewHoldID(departure).Train()} {
			of, on, ok := train.Schedule()
			require.True(t, ok)
			require.Equal(t, schedule, of)
			require.Equal(t, d, on)
		}
	})
}

func TestIDThatNoDepartureHasLeadsToNoSchedule(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"00000000-0000-0000-0000-000000000000", // no train
		"10d37399-0a4b-8b26-9e0c-6d1f00000000", // a schedule, and day 0
		"10d37399-0a4b-8b26-9e0c-6d1f09de0007", // a seat
		"00000000-0000-0000-0000-000009de0000", // no schedule
	} {
		id, err := booking.ParseTrainID(s)
		require.NoError(t, err)
		schedule, d, ok := id.Schedule()
		require.False(t, ok, s)
		require.Zero(t, schedule, s)
		require.Zero(t, d, s)
	}
	for _, s := range []string{"00000000-0000-0000-0000-000000000000", "10d37399-0a4b-8b26-9e0c-6d1f09de0000"} {
		id, err := booking.ParseScheduleID(s)
		require.NoError(t, err)
		require.False(t, id.Valid(), s)
	}
}

func TestMadeIDsOfSchedulesAreNotThoseOfTrains(t *testing.T) {
	t.Parallel()
	for _, schedule := range []booking.ScheduleID{booking.NewScheduleID(), booking.DerivedScheduleID("one")} {
		require.True(t, schedule.Valid())
		require.Equal(t, uuid.Version(8), uuid.UUID(schedule).Version())
		require.Equal(t, uuid.RFC4122, uuid.UUID(schedule).Variant())
		require.Equal(t, uuid.Version(8), uuid.UUID(schedule.Departure(1)).Version())
	}
	for _, train := range []booking.TrainID{booking.NewTrainID(), booking.DerivedTrainID("one")} {
		require.NotEqual(t, uuid.Version(8), uuid.UUID(train).Version())
	}
	require.NotEqual(t, booking.NewScheduleID(), booking.NewScheduleID())
	require.Equal(t, booking.DerivedScheduleID("one"), booking.DerivedScheduleID("one"))
	require.NotEqual(t, booking.DerivedScheduleID("one"), booking.DerivedScheduleID("two"))
}

func TestScheduleIDIsTextInJSON(t *testing.T) {
	t.Parallel()
	id := booking.NewScheduleID()
	text, err := json.Marshal(id)
	require.NoError(t, err)
	require.Equal(t, `"`+id.String()+`"`, string(text))
	var got booking.ScheduleID
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, id, got)
	require.ErrorIs(t, json.Unmarshal([]byte(`"x"`), &got), booking.ErrMalformedID)
}

func FuzzParseScheduleID(f *testing.F) {
	f.Add("10d37399-0a4b-8b26-9e0c-6d1f00000000")
	f.Add("10D37399-0A4B-8B26-9E0C-6D1F09DE0005")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := booking.ParseScheduleID(s)
		if err != nil {
			require.ErrorIs(t, err, booking.ErrMalformedID)
			require.Zero(t, id)
			return
		}
		require.Equal(t, strings.ToLower(s), id.String(), "one id has one spelling but for case")
		if id.Valid() {
			of, on, ok := id.Departure(booking.LastDate).Schedule()
			require.True(t, ok)
			require.Equal(t, id, of)
			require.Equal(t, booking.LastDate, on)
		}
	})
}

func TestImportedIDFollowsFromSourceAndName(t *testing.T) {
	t.Parallel()
	id := booking.ImportedScheduleID("gtfs:db", "ICE 9")
	require.True(t, id.Valid())
	require.Equal(t, id, booking.ImportedScheduleID("gtfs:db", "ICE 9"))
	require.NotEqual(t, id, booking.ImportedScheduleID("gtfs:db", "ICE 10"))
	require.NotEqual(t, id, booking.ImportedScheduleID("gtfs:sbb", "ICE 9"))
	require.NotEqual(t, id, booking.DerivedScheduleID("ICE 9"))
	require.True(t, id.ImportedFrom("gtfs:db"))
	require.False(t, id.ImportedFrom("gtfs:sbb"))
	require.False(t, booking.NewScheduleID().ImportedFrom("gtfs:db"))
	_, _, departure := id.Departure(date(t, "2026-12-01")).Schedule()
	require.True(t, departure)
}
