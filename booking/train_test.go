package booking_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// in returns a time of day at a UTC offset in minutes.
func in(minutes, hour, minute int) time.Time {
	return time.Date(2026, 12, 1, hour, minute, 0, 0, time.FixedZone("", minutes*60))
}

func TestSegmentIsNamedByItsStations(t *testing.T) {
	t.Parallel()
	train := lineABCD(1)
	train.Stops[1].Station = "Große Straße"
	for _, c := range []struct {
		from, to string
		legs     booking.Legs
		code     booking.Code
	}{
		{"", "", booking.Segment(0, 3), ""},
		{"A", "D", booking.Segment(0, 3), ""},
		{"a", " c ", booking.Segment(0, 2), ""},
		{"", "GROSSE STRASSE", booking.Segment(0, 1), ""},
		{"große straße", "", booking.Segment(1, 3), ""},
		{"D", "A", 0, booking.CodeInvalidRequest},
		{"C", "C", 0, booking.CodeInvalidRequest},
		{"D", "", 0, booking.CodeInvalidRequest},
		{"", "A", 0, booking.CodeInvalidRequest},
		{"E", "D", 0, booking.CodeNotFound},
		{"A", "E", 0, booking.CodeNotFound},
		{" ", "D", 0, booking.CodeNotFound},
	} {
		legs, err := train.Segment(c.from, c.to)
		require.Equal(t, c.code, booking.CodeOf(err), "%q to %q", c.from, c.to)
		require.Equal(t, c.legs, legs, "%q to %q", c.from, c.to)
	}
	require.Equal(t, 2, train.Position("c"))
	require.Equal(t, -1, train.Position("E"))
	twins := booking.Train{Stops: []booking.Stop{{Station: "X"}, {Station: "İzmir"}, {Station: "Izmir"}, {Station: "Ízmir"}}}
	for name, position := range map[string]int{"izmir": 2, "i\u0307ZMIR": 1, "ÍZMIR": 3, "ìzmir": 1, "x": 0, "y": -1} {
		require.Equal(t, position, twins.Position(name), "the same name, or else the first that it may mean: %q", name)
	}
	require.Equal(t, booking.Segment(0, 3), train.Run())
	from, to := train.Ends(booking.Segment(1, 3))
	require.Equal(t, [2]string{"Große Straße", "D"}, [2]string{from.Station, to.Station})
}

func TestTrainHasDepartedFromTheMomentItLeaves(t *testing.T) {
	t.Parallel()
	train := lineABCD(1)
	train.Stops[0].DepartsAt = in(330, 6, 0) // 00:30 UTC
	train.Stops[2].ArrivesAt = in(330, 8, 0)
	leaves := time.Date(2026, 12, 1, 0, 30, 0, 0, time.UTC)
	require.False(t, train.Departed(booking.Segment(0, 1), leaves.Add(-1)))
	require.True(t, train.Departed(booking.Segment(0, 1), leaves))
	require.True(t, train.Departed(train.Run(), leaves.AddDate(1, 0, 0)))
	arrives := train.Stops[2].ArrivesAt
	for _, segment := range []booking.Legs{booking.Segment(1, 2), booking.Segment(1, 3), booking.Segment(2, 3)} {
		require.False(t, train.Departed(segment, arrives.Add(-1)), segment)
		require.True(t, train.Departed(segment, arrives), "%s: it has no other time from there on", segment)
	}
	require.False(t, train.SaleEnded(arrives.Add(-1)))
	require.True(t, train.SaleEnded(arrives))
	train.Stops[2].DepartsAt = arrives.Add(time.Hour)
	require.False(t, train.Departed(booking.Segment(2, 3), arrives), "arriving is not leaving")
	require.True(t, train.Departed(booking.Segment(1, 3), arrives))
	untimed := lineABCD(1)
	require.False(t, untimed.Departed(untimed.Run(), leaves.AddDate(100, 0, 0)))
	require.False(t, untimed.SaleEnded(leaves.AddDate(100, 0, 0)))
}

func TestDeparturePositionIsOneThatACursorCanHave(t *testing.T) {
	t.Parallel()
	train, run := lineABCD(1), booking.Segment(0, 3)
	last := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	for _, row := range []struct{ departs, at time.Time }{
		{time.Time{}, last},
		{in(330, 6, 0).Add(1999), in(0, 0, 30).Add(1000).UTC()},
		{time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", -3600)), last},
		{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}},
	} {
		train.Stops[0].DepartsAt = row.departs
		position := train.DeparturePosition(run)
		require.Equal(t, booking.Cursor{At: row.at, ID: uuid.UUID(train.ID)}, position, row.departs)
		parsed, err := booking.ParseCursor(position.In(booking.ListDepartures), booking.ListDepartures)
		require.NoError(t, err)
		require.Equal(t, position, parsed)
	}
	train.Stops[0].DepartsAt, train.Stops[2].ArrivesAt = time.Time{}, in(330, 8, 0)
	require.Equal(t, in(0, 2, 30).UTC(), train.DeparturePosition(run).At, "the first time from there on")
}

func TestTrainSellsFromTheMomentItsSalesBegin(t *testing.T) {
	t.Parallel()
	train := lineABCD(1)
	require.True(t, train.Sells(noon))
	train.SalesOpenAt = noon
	require.False(t, train.Sells(noon.Add(-1)))
	require.True(t, train.Sells(noon))
	later := train
	later.SalesOpenAt = noon.In(time.FixedZone("", 19800))
	require.True(t, train.Same(&later))
	later.SalesOpenAt = noon.Add(1)
	require.False(t, train.Same(&later))
	train.OnSale = false
	require.False(t, train.Sells(noon))
}

func TestStopsAreTheSameAtTheSameTimes(t *testing.T) {
	t.Parallel()
	one, other := lineABCD(1), lineABCD(9)
	require.True(t, one.SameStops(&other))
	one.Stops[0].DepartsAt, other.Stops[0].DepartsAt = in(330, 6, 0), in(0, 0, 30)
	require.True(t, one.SameStops(&other), "in another UTC offset")
	other.Capacity = one.Capacity
	require.False(t, one.Same(&other), "searches by date use the offset")
	other.Stops[0].DepartsAt = in(330, 6, 0)
	require.True(t, one.Same(&other))
	other.Stops[0].DepartsAt = in(330, 6, 1)
	require.False(t, one.SameStops(&other))
	other = lineABCD(1)
	other.Stops[1].Station = "b"
	require.False(t, one.SameStops(&other))
	other.Stops = other.Stops[:3]
	require.False(t, one.SameStops(&other))
}

func TestCleanTrimsAndNormalizes(t *testing.T) {
	t.Parallel()
	given := booking.Train{
		ID: booking.NewTrainID(), Name: " Ra\u0308ksi\t", Capacity: booking.MaxCapacity, OnSale: true,
		SalesOpenAt: in(330, 6, 0).Add(1999),
		Stops: []booking.Stop{
			{Station: " Mu\u0308nchen", DepartsAt: in(60, 6, 0)},
			{Station: "नई दिल्ली ", ArrivesAt: in(330, 10, 30), DepartsAt: in(330, 10, 30)}, // 05:00 UTC, both
			{Station: "İzmir", ArrivesAt: in(180, 8, 0)},                                    // 05:00 UTC too
			{Station: "Izmir"},
		},
	}
	clean, err := given.Clean()
	require.NoError(t, err)
	require.Equal(t, "Räksi", clean.Name)
	require.Equal(t, in(0, 0, 30).Add(1000).UTC(), clean.SalesOpenAt)
	var stations []string
	for i, stop := range clean.Stops {
		stations = append(stations, stop.Station)
		require.Equal(t, given.Stops[i].ArrivesAt, stop.ArrivesAt, "times keep their offset")
	}
	require.Equal(t, []string{"München", "नई दिल्ली", "İzmir", "Izmir"}, stations)
	require.Equal(t, " Mu\u0308nchen", given.Stops[0].Station, "the argument is not modified")
	again, err := clean.Clean()
	require.NoError(t, err)
	require.Equal(t, clean, again)
}

func TestCleanReportsEveryInvalidField(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", booking.MaxName+1)
	for name, c := range map[string]struct {
		change func(*booking.Train)
		fields map[string]string
	}{
		"name empty":    {func(t *booking.Train) { t.Name = " " }, map[string]string{"name": "must not be empty"}},
		"name too long": {func(t *booking.Train) { t.Name = long }, map[string]string{"name": "must have 1 to 255 characters"}},
		"name with NUL": {func(t *booking.Train) { t.Name = "a\x00b" }, map[string]string{"name": "must not contain control characters"}},
		"capacity 0":    {func(t *booking.Train) { t.Capacity = 0 }, map[string]string{"capacity": "must be 1 to 20000"}},
		"capacity 20001": {
			func(t *booking.Train) { t.Capacity = booking.MaxCapacity + 1 },
			map[string]string{"capacity": "must be 1 to 20000"},
		},
		"one stop":  {func(t *booking.Train) { t.Stops = t.Stops[:1] }, map[string]string{"stops": "must be 2 to 64"}},
		"no stops":  {func(t *booking.Train) { t.Stops = nil }, map[string]string{"stops": "must be 2 to 64"}},
		"65 stops":  {func(t *booking.Train) { t.Stops = manyStops(65) }, map[string]string{"stops": "must be 2 to 64"}},
		"no UTF-8":  {func(t *booking.Train) { t.Stops[1].Station = "\xff" }, map[string]string{"stops[1].station": "must be valid UTF-8"}},
		"long stop": {func(t *booking.Train) { t.Stops[0].Station = long }, map[string]string{"stops[0].station": "must have 1 to 255 characters"}},
		"a station twice": {
			func(t *booking.Train) { t.Stops[0].Station, t.Stops[3].Station = "Große Straße", " GROSSE STRASSE" },
			map[string]string{"stops[3].station": "is the same station as stops[0]"},
		},
		"sold too early": {
			func(t *booking.Train) { t.SalesOpenAt = time.Unix(0, 999) },
			map[string]string{"sales_open_at": "must be in the years 1970 to 9999 in UTC"},
		},
		"sold too late": {
			func(t *booking.Train) {
				t.SalesOpenAt = time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -3600))
			},
			map[string]string{"sales_open_at": "must be in the years 1970 to 9999 in UTC"},
		},
		"left before it arrived": {
			func(t *booking.Train) { t.Stops[1].ArrivesAt, t.Stops[1].DepartsAt = in(0, 9, 0), in(0, 8, 59) },
			map[string]string{"stops[1].departs_at": "must not be before an earlier time of the train"},
		},
		"arrived before it left, by offset": {
			func(t *booking.Train) { t.Stops[0].DepartsAt, t.Stops[3].ArrivesAt = in(0, 6, 0), in(330, 11, 29) },
			map[string]string{"stops[3].arrives_at": "must not be before an earlier time of the train"},
		},
		"all at once": {
			func(t *booking.Train) {
				t.Name, t.Capacity, t.Stops[2].Station = "", -1, ""
				t.Stops[0].DepartsAt, t.Stops[2].ArrivesAt, t.Stops[2].DepartsAt = in(0, 9, 0), in(0, 8, 0), in(0, 7, 0)
			},
			map[string]string{
				"name": "must not be empty", "capacity": "must be 1 to 20000",
				"stops[2].station":    "must not be empty",
				"stops[2].arrives_at": "must not be before an earlier time of the train",
				"stops[2].departs_at": "must not be before an earlier time of the train",
			},
		},
	} {
		train := lineABCD(1)
		c.change(&train)
		clean, err := train.Clean()
		require.Zero(t, clean, name)
		var e *booking.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, booking.CodeInvalidRequest, e.Code, name)
		require.Equal(t, c.fields, e.Fields, name)
	}
	longest := lineABCD(1)
	longest.Stops = manyStops(booking.MaxStops)
	_, err := longest.Clean()
	require.NoError(t, err)
	require.Equal(t, booking.MaxLegs, longest.Run().Count())
}

func TestNamesThatATrainHasAreNotRefused(t *testing.T) {
	t.Parallel()
	const unseen = "must not contain invisible characters"
	before := lineABCD(1)
	before.Name, before.Stops[1].Station = "\u3164", "Agra\u034f"
	to := before
	to.Stops = slices.Clone(before.Stops)
	require.NoError(t, to.CheckNames(&before))
	requireRefused := func(err error, fields map[string]string) {
		t.Helper()
		var e *booking.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, booking.CodeInvalidRequest, e.Code)
		require.Equal(t, fields, e.Fields)
	}
	requireRefused(to.CheckNames(nil), map[string]string{"name": unseen, "stops[1].station": unseen})
	to.Stops[1], to.Stops[2] = to.Stops[2], to.Stops[1]
	require.NoError(t, to.CheckNames(&before), "in another place")
	to.Name, to.Stops[0].Station = "Agra\u034f", "\u3164"
	requireRefused(to.CheckNames(&before), map[string]string{"name": unseen, "stops[0].station": unseen})
	require.NoError(t, booking.NewSeatMap(before).CheckChange(before))
	requireRefused(booking.NewSeatMap(before).CheckChange(to), map[string]string{"name": unseen, "stops[0].station": unseen})
}

func manyStops(n int) (stops []booking.Stop) {
	for i := range n {
		stops = append(stops, booking.Stop{Station: fmt.Sprint("Stop ", i)})
	}
	return stops
}

// FuzzTrainClean checks the invariants of a clean train, and that an error names a field.
func FuzzTrainClean(f *testing.F) {
	f.Add("Express", 10, "A|B|C", int64(1), int64(2), int64(3))
	f.Add(" ", 0, "", int64(0), int64(0), int64(0))
	f.Add("Express", 20_000, "ß| SS |x", int64(9), int64(8), int64(-7))
	f.Fuzz(func(t *testing.T, name string, capacity int, stations string, departs, arrives, continues int64) {
		train := booking.Train{Name: name, Capacity: capacity}
		for i, station := range strings.Split(stations, "|") {
			stop := booking.Stop{Station: station}
			switch i {
			case 0:
				stop.DepartsAt = time.Unix(departs%1e12, 0)
			case 1:
				stop.ArrivesAt, stop.DepartsAt = time.Unix(arrives%1e12, 0), time.Unix(continues%1e12, 0)
			}
			train.Stops = append(train.Stops, stop)
		}
		clean, err := train.Clean()
		if err != nil {
			var e *booking.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, booking.CodeInvalidRequest, e.Code)
			require.NotEmpty(t, e.Fields)
			return
		}
		again, err := clean.Clean()
		require.NoError(t, err)
		require.Equal(t, clean, again, "idempotent")
		require.True(t, clean.Capacity >= 1 && clean.Capacity <= booking.MaxCapacity)
		require.Equal(t, len(clean.Stops)-1, clean.Run().Count())
		for i, stop := range clean.Stops {
			require.Equal(t, i, clean.Position(stop.Station), "no station twice")
		}
		require.False(t, clean.Stops[1].ArrivesAt.Before(clean.Stops[0].DepartsAt))
		require.False(t, clean.Stops[1].DepartsAt.Before(clean.Stops[1].ArrivesAt))
	})
}
