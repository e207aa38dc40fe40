package booking_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

// delayed returns the train with later times from stop i on.
func delayed(train booking.Train, i int, by time.Duration) booking.Train {
	train.Stops = slices.Clone(train.Stops)
	for ; i < len(train.Stops); i++ {
		stop := &train.Stops[i]
		if !stop.ArrivesAt.IsZero() {
			stop.ArrivesAt = stop.ArrivesAt.Add(by)
		}
		if !stop.DepartsAt.IsZero() {
			stop.DepartsAt = stop.DepartsAt.Add(by)
		}
	}
	return train
}

func TestDepartureFollowsItsScheduleAsFarAsRulesAllow(t *testing.T) {
	t.Parallel()
	const follows, diverged, dropped = booking.Follows, booking.Diverged, booking.Dropped
	d := date(t, "2025-06-18")
	type (
		schedule  = booking.Schedule
		train     = booking.Train
		following = booking.Following
	)
	unsaid := func(*train) {}
	later := func(s *schedule) { s.Stops[0].Departs = at(t, "22:40") }
	elsewhere := func(s *schedule) { s.Stops[1] = booking.StopTime{Station: "Magdeburg", Departs: at(t, "24:10")} }
	smaller := func(s *schedule) { s.Capacity = 5 }
	notThen := func(s *schedule) { s.Exceptions = []booking.Exception{{Date: d}} }
	for name, c := range map[string]struct {
		byHand func(*train)    // the change of the departure
		change func(*schedule) // the change of the schedule
		taken  booking.Taken
		result following
		// want changes the departure as it was to what it becomes; nil: it is as the schedule says.
		want func(*train)
	}{
		"times":             {unsaid, later, 10, follows, nil},
		"a name":            {unsaid, func(s *schedule) { s.Name = "Sleeper" }, 10, follows, nil},
		"spelling":          {unsaid, func(s *schedule) { s.Stops[1].Station = "HANNOVER" }, 10, follows, nil},
		"a zone for a stop": {unsaid, func(s *schedule) { s.Stops[1].TimeZone = "Europe/London" }, 10, follows, nil},
		"the window":        {unsaid, func(s *schedule) { s.SoldDaysAhead = 30 }, 10, follows, nil},
		"withdrawn":         {unsaid, func(s *schedule) { s.OnSale = false }, 10, follows, nil},
		"more seats":        {unsaid, func(s *schedule) { s.Capacity = 20 }, 10, follows, nil},
		"fewer seats":       {unsaid, smaller, 5, follows, nil},
		"fewer seats than sold": {
			unsaid, func(s *schedule) { s.Capacity, s.Name = 5, "Sleeper" }, 6, diverged,
			func(t *train) { t.Name = "Sleeper" },
		},
		"other stations":           {unsaid, elsewhere, 0, follows, nil},
		"other stations, and sold": {unsaid, elsewhere, 1, diverged, unsaid},
		"other stations and a time, and sold": {
			unsaid, func(s *schedule) { later(s); elsewhere(s) }, 1, diverged, unsaid,
		},
		"fewer stops, and sold": {
			unsaid, func(s *schedule) { s.Stops = slices.Delete(s.Stops, 1, 2) }, 1, diverged, unsaid,
		},
		"a delay, and another property": {
			func(t *train) { *t = delayed(*t, 1, time.Hour) }, func(s *schedule) { s.Capacity = 20 }, 3, diverged,
			func(t *train) { *t = delayed(*t, 1, time.Hour); t.Capacity = 20 },
		},
		"a delay, and other times": {
			func(t *train) { *t = delayed(*t, 1, time.Hour) }, later, 0, diverged,
			func(t *train) { *t = delayed(*t, 1, time.Hour) },
		},
		"a delay, and a spelling": {
			func(t *train) { *t = delayed(*t, 1, time.Hour) }, func(s *schedule) { s.Stops[2].Station = "BASEL" }, 3, diverged,
			func(t *train) { *t = delayed(*t, 1, time.Hour); t.Stops[2].Station = "BASEL" },
		},
		"a delay, and other stations": {
			func(t *train) { *t = delayed(*t, 1, time.Hour) }, elsewhere, 0, diverged,
			func(t *train) { *t = delayed(*t, 1, time.Hour) },
		},
		"a delay that the schedule takes over": {
			func(t *train) { *t = delayed(*t, 0, -5*time.Minute) },
			func(s *schedule) {
				s.Stops[0].Departs = at(t, "22:40")
				s.Stops[1].Arrives, s.Stops[1].Departs, s.Stops[2].Arrives = at(t, "25:00"), at(t, "25:05"), at(t, "30:25")
			}, 3, follows, nil,
		},
		"a spelling by hand, and other times": {
			func(t *train) { t.Stops[0].Station = "BERLIN" }, later, 3, diverged,
			func(t *train) {
				t.Stops[0].Station, t.Stops[0].DepartsAt = "BERLIN", t.Stops[0].DepartsAt.Add(-5*time.Minute)
			},
		},
		"stations by hand, and times": {
			func(t *train) { t.Stops = t.Stops[1:] }, later, 3, diverged, func(t *train) { t.Stops = t.Stops[1:] },
		},
		"a station by hand that the schedule takes over, and times": {
			func(t *train) { t.Stops = slices.Clone(t.Stops); t.Stops[1].Station = "Magdeburg" },
			func(s *schedule) { later(s); s.Stops[1].Station = "Magdeburg" }, 3, follows, nil,
		},
		"withdrawn by hand, and times": {
			func(t *train) { t.OnSale = false }, later, 3, diverged,
			func(t *train) { t.OnSale, t.Stops[0].DepartsAt = false, t.Stops[0].DepartsAt.Add(-5*time.Minute) },
		},
		"seats added by hand":       {func(t *train) { t.Capacity = 12 }, smaller, 3, diverged, func(t *train) { t.Capacity = 12 }},
		"seats removed by hand":     {func(t *train) { t.Capacity = 5 }, smaller, 3, follows, nil},
		"sold later by hand":        {func(t *train) { t.SalesOpenAt = noon }, smaller, 3, diverged, func(t *train) { t.SalesOpenAt, t.Capacity = noon, 5 }},
		"no service, nothing sold":  {unsaid, notThen, 0, dropped, unsaid},
		"no service, delayed":       {func(t *train) { *t = delayed(*t, 0, 1) }, notThen, 0, dropped, func(t *train) { *t = delayed(*t, 0, 1) }},
		"no service, and sold":      {unsaid, notThen, 1, diverged, func(t *train) { t.OnSale = false }},
		"ended, and sold":           {unsaid, func(s *schedule) { s.Until = d - 1 }, 1, diverged, func(t *train) { t.OnSale = false }},
		"nothing, but sold by hand": {func(t *train) { t.Name = "Special" }, func(*schedule) {}, 1, diverged, func(t *train) { t.Name = "Special" }},
	} {
		before, after := nightTrain(t), nightTrain(t)
		c.change(after)
		departure := before.Train(d)
		departure.CreatedAt, departure.UpdatedAt = noon.Add(1), noon.Add(2)
		c.byHand(&departure)
		want := after.Train(d)
		if c.want != nil {
			want = before.Train(d)
			c.want(&want)
		}
		want.CreatedAt, want.UpdatedAt = noon.Add(1), noon.Add(2)
		got, result := booking.Follow(departure, d, c.taken, before, after)
		require.Equal(t, c.result, result, name)
		require.Equal(t, want, got, name)
	}
}

func TestWithdrawnDepartureIsSoldAgainWhenItsDateRunsAgain(t *testing.T) {
	t.Parallel()
	d := date(t, "2025-06-18")
	full, without := nightTrain(t), nightTrain(t)
	without.Exceptions = []booking.Exception{{Date: d}}
	kept, result := booking.Follow(full.Train(d), d, 3, full, without)
	require.Equal(t, booking.Diverged, result)
	require.False(t, kept.OnSale)

	renamed := *without
	renamed.Name = "Sleeper"
	still, result := booking.Follow(kept, d, 3, without, &renamed)
	require.Equal(t, booking.Diverged, result)
	require.False(t, still.OnSale)
	require.Equal(t, "Sleeper", still.Name)
	_, result = booking.Follow(kept, d, 0, without, &renamed)
	require.Equal(t, booking.Dropped, result, "its bookings were cancelled")

	again, result := booking.Follow(kept, d, 3, without, full)
	require.Equal(t, booking.Follows, result)
	require.True(t, again.OnSale)

	special := kept
	special.OnSale = true // by hand, though the schedule does not run
	still, result = booking.Follow(special, d, 0, without, &renamed)
	require.Equal(t, booking.Diverged, result)
	require.True(t, still.OnSale)
}

func TestScheduleThatWasNotOnSaleDoesNotKeepADroppedDateOnSale(t *testing.T) {
	t.Parallel()
	d := date(t, "2025-06-18")
	before, after := nightTrain(t), nightTrain(t)
	before.OnSale, after.OnSale = false, false
	after.Until = d - 1
	departure := before.Train(d)
	departure.OnSale = true // by hand
	kept, result := booking.Follow(departure, d, 3, before, after)
	require.Equal(t, booking.Diverged, result)
	require.False(t, kept.OnSale)
}

// drawChange returns the schedule with other properties, or another schedule of that id.
func drawChange(t *rapid.T, s booking.Schedule) *booking.Schedule {
	other := drawSchedule(t)
	for _, take := range []func(){
		func() { s.Capacity = other.Capacity },
		func() { s.OnSale = other.OnSale },
		func() { s.Calendar = other.Calendar },
		func() { s.SoldDaysAhead = other.SoldDaysAhead },
		func() { s.Stops = other.Stops },
		func() { s.TimeZone = other.TimeZone },
		func() { s.Name = "Changed" },
	} {
		if rapid.Bool().Draw(t, "take") {
			take()
		}
	}
	return &s
}

// drawDeparture returns a departure that may have been changed by hand.
func drawDeparture(t *rapid.T, s *booking.Schedule, d booking.Date) booking.Train {
	train := s.Train(d)
	switch rapid.IntRange(0, 9).Draw(t, "by hand") {
	case 0:
		train = delayed(train, rapid.IntRange(0, len(train.Stops)-1).Draw(t, "delayed from"), time.Minute)
	case 1:
		train.Capacity += rapid.IntRange(1-train.Capacity, 5).Draw(t, "seats")
	case 2:
		train.OnSale = !train.OnSale
	case 3:
		train.Stops = slices.Clone(train.Stops)
		train.Stops[0].Station = "ä"
	case 4:
		train.Name, train.SalesOpenAt = "By hand", noon
	case 5:
		train.Stops = slices.Clone(train.Stops)
		train.Stops[1].Station = "E"
	}
	return train
}

func TestFollowingNeverChangesWhatIsSold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := drawSchedule(t)
		after := drawChange(t, *before)
		d := booking.Date(rapid.IntRange(1900, 1960).Draw(t, "date"))
		departure := drawDeparture(t, before, d)
		taken := booking.Taken(rapid.IntRange(0, departure.Capacity).Draw(t, "taken"))
		got, result := booking.Follow(departure, d, taken, before, after)
		was, is := before.Train(d), after.Train(d)

		seats := booking.NewSeatMap(departure)
		if taken > 0 {
			seats.Restore(booking.Stored{Seats: map[int]booking.Legs{int(taken): booking.Segment(0, 1)}}, rules.TTL, noon)
		}
		require.Equal(t, taken, seats.Taken())
		require.NoError(t, seats.CheckChange(got), "a train may change like that")
		_, err := got.Clean()
		require.NoError(t, err)
		require.Equal(t, departure.ID, got.ID)

		if result == booking.Dropped {
			require.Zero(t, taken)
			require.False(t, after.Runs(d))
			return
		}
		require.Equal(t, got.Same(&is) && after.Runs(d), result == booking.Follows)
		require.Equal(t, result == booking.Diverged, after.Diverges(&got, d))
		if !after.Runs(d) && before.Runs(d) {
			require.False(t, got.OnSale)
		}
		switch {
		case departure.Same(&was) && taken == 0 && after.Runs(d):
			require.Equal(t, booking.Follows, result, "nothing prevents it")
		case before.Same(after):
			require.True(t, departure.Same(&got), "nothing changed")
		}
		requireMerged(t, departure, was, is, got)
		again, _ := booking.Follow(got, d, taken, after, after)
		require.True(t, got.Same(&again), "it has followed")
		retried, _ := booking.Follow(got, d, 0, before, after)
		if departure.Same(&was) && after.Runs(d) {
			require.True(t, is.Same(&retried), "once nothing is taken, the rest follows")
		}
	})
}

// requireMerged checks property by property that what was changed by hand stays.
func requireMerged(t *rapid.T, departure, was, is, got booking.Train) {
	if departure.Name != was.Name {
		require.Equal(t, departure.Name, got.Name)
	}
	if departure.Capacity != was.Capacity {
		require.Equal(t, departure.Capacity, got.Capacity)
	}
	if !departure.OnSale && was.OnSale {
		require.False(t, got.OnSale)
	}
	if !departure.SalesOpenAt.Equal(was.SalesOpenAt) {
		require.Equal(t, departure.SalesOpenAt, got.SalesOpenAt)
	}
	if !slices.Equal(times(departure), times(was)) {
		require.Equal(t, times(departure), times(got), "a delay")
	}
	names := func(train booking.Train) (list []string) {
		for _, stop := range train.Stops {
			list = append(list, stop.Station)
		}
		return list
	}
	if !slices.Equal(names(departure), names(was)) {
		require.Equal(t, names(departure), names(got), "stations or spelling by hand")
	}
	if !slices.Equal(names(got), names(departure)) {
		require.Equal(t, names(is), names(got))
	}
	if !slices.Equal(times(got), times(departure)) {
		require.Equal(t, times(is), times(got))
	}
}

func TestTakenIsTheHighestSeatThatIsBookedOrHeld(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(9))
	require.Zero(t, m.Taken())
	b := booked(t, m, anna, "A", "B", noon, 3)
	require.Equal(t, booking.Taken(3), m.Taken())
	h := held(t, m, uuid.UUID{15: 2}, "C", "D", noon, 7)
	require.Equal(t, booking.Taken(7), m.Taken())
	m.Expire(h.ExpiresAt)
	require.Equal(t, booking.Taken(3), m.Taken())
	m.Cancelled(b.ID)
	require.Zero(t, m.Taken())
}
