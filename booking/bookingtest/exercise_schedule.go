package bookingtest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var scheduleFacts = []fact{
	{"CreatedScheduleIsFoundAndListed", func(x *exercise) {
		draft := x.dailyDraft()
		draft.Exceptions = []booking.Exception{{Date: x.today() + 3}, {Date: x.today() + 40, Runs: true}}
		created, err := x.CreateSchedule(x.ctx(), draft)
		require.NoError(x, err)
		require.True(x, draft.Same(&created))
		require.WithinDuration(x, time.Now(), created.CreatedAt, time.Minute)
		found, err := x.FindSchedule(x.ctx(), draft.ID)
		require.NoError(x, err)
		require.Equal(x, created, *found.Schedule)
		require.Equal(x, x.today()+1, found.Next)
		require.Equal(x, x.today()+5, found.SoldUntil)
		require.Zero(x, found.Booked)
		require.Zero(x, found.DivergedCount)
		all, err := x.ListSchedules(x.ctx(), booking.PageRequest{})
		require.NoError(x, err)
		i := slices.IndexFunc(all.Items, func(s booking.ScheduleStatus) bool { return s.ID == draft.ID })
		require.GreaterOrEqual(x, i, 0)
		require.Equal(x, found, all.Items[i])
	}},
	{"DeparturesAreListedByDate", func(x *exercise) {
		draft := x.dailyDraft()
		draft.Exceptions = []booking.Exception{{Date: x.today() + 3}}
		s := x.schedule(draft)
		page, err := x.ListDepartures(x.ctx(), s.ID, 0, booking.LastDate, booking.PageRequest{Limit: 3})
		require.NoError(x, err)
		require.Equal(x, []booking.Date{x.today() + 1, x.today() + 2, x.today() + 4}, datesOf(page.Items))
		require.Equal(x, booking.Tally{Available: 4}, page.Items[0].Tally)
		require.False(x, page.Items[0].Diverged)
		page, err = x.ListDepartures(x.ctx(), s.ID, x.today()+2, x.today()+6, booking.PageRequest{Limit: 3, After: page.Next})
		require.NoError(x, err)
		require.Equal(x, []booking.Date{x.today() + 5, x.today() + 6}, datesOf(page.Items))
		require.True(x, page.Next.IsZero())
	}},
	{"DepartureIsSoldAsATrain", func(x *exercise) {
		s, user := x.schedule(x.dailyDraft()), uuid.New()
		train := s.Train(x.today() + 2)
		x.requireTally(train, booking.Tally{Available: 4})
		none, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{})
		require.NoError(x, err)
		require.Empty(x, none.Items)
		b := x.book(x.between(request(train, user, 2), "B", "C"))
		require.Equal(x, "aaaa", x.seats(train, "A", "B"))
		require.Equal(x, "abaa", x.seats(train, "B", "D"))
		found, err := x.FindTrain(x.ctx(), train.ID)
		require.NoError(x, err)
		x.requireSameTrain(train, *found.Train)
		booked, err := x.FindBooking(x.ctx(), user, b.ID)
		require.NoError(x, err)
		x.requireSameTrain(train, *booked.On)
		status := x.status(s)
		require.Equal(x, 1, status.Booked)
		require.Zero(x, status.DivergedCount)
		x.requireTally(s.Train(x.today()+1), booking.Tally{Available: 4})
	}},
	{"SearchFindsTheDepartureOfADateOrTheNext", func(x *exercise) {
		s := x.schedule(x.dailyDraft())
		single := x.create(x.draft(3))
		day := func(d booking.Date) time.Time { return d.Begins(time.UTC) }
		require.Equal(x, []booking.TrainID{s.ID.Departure(x.today() + 1), single.ID}, x.searched("B", "C"))
		for _, c := range []struct {
			from string
			date booking.Date
			want []booking.TrainID
		}{
			{"A", x.today() + 2, []booking.TrainID{s.ID.Departure(x.today() + 2)}},
			{"C", x.today() + 3, []booking.TrainID{s.ID.Departure(x.today() + 2)}}, // after midnight
			{"A", x.today(), nil}, // it begins tomorrow
			{"A", x.today() + 6, nil},
		} {
			require.Equal(x, c.want, trainsOf(x.search(c.from, "D", day(c.date))), "%s on %s", c.from, c.date)
		}
		listed, err := x.ListTrains(x.ctx(), booking.TrainQuery{From: x.station("A"), To: x.station("D"), Date: day(x.today() + 6)})
		require.NoError(x, err)
		require.Equal(x, []booking.TrainID{s.ID.Departure(x.today() + 6)}, trainsOf(listed.Items), "not on sale yet, but listed")
	}},
	{"DepartureIsNotSoldBeforeItsDate", func(x *exercise) {
		s := x.schedule(x.dailyDraft())
		train := s.Train(x.today() + 6)
		_, err := x.Hold(x.ctx(), request(train, uuid.New(), 1))
		x.requireCode(booking.CodeNotOnSale, err)
		require.Equal(x, train.SalesOpenAt, detailsOf(err).SalesOpenAt)
		_, err = x.Hold(x.ctx(), request(s.Train(x.today()+1), uuid.New(), 5))
		x.requireCode(booking.CodeNotFound, err)
		_, err = x.Confirm(x.ctx(), bySeat(train, uuid.New(), 1))
		x.requireCode(booking.CodeSeatNotLocked, err)
	}},
	{"ChangeOfAScheduleAppliesToItsDepartures", func(x *exercise) {
		s, user := x.schedule(x.dailyDraft()), uuid.New()
		booked, free := s.Train(x.today()+1), s.Train(x.today()+2)
		b := x.book(request(booked, user, 3))
		x.release(x.hold(request(free, user, 1))) // it has a definition of its own now
		to := s
		to.Name, to.Capacity, to.Stops = "Changed", 2, slices.Clone(s.Stops)
		to.Stops[1].Station = x.station("E")
		put, created, err := x.PutSchedule(x.ctx(), to)
		require.NoError(x, err)
		require.False(x, created)
		require.True(x, to.Same(&put))
		again, _, err := x.PutSchedule(x.ctx(), to)
		require.NoError(x, err)
		require.Equal(x, put, again)
		for _, date := range []booking.Date{x.today() + 2, x.today() + 3} {
			want := put.Train(date)
			found, err := x.FindTrain(x.ctx(), want.ID)
			require.NoError(x, err)
			x.requireSameTrain(want, *found.Train)
		}
		found, err := x.FindTrain(x.ctx(), booked.ID)
		require.NoError(x, err)
		require.Equal(x, "Changed", found.Train.Name)
		require.Equal(x, 4, found.Train.Capacity, "seat 3 is booked")
		require.True(x, booked.SameStations(found.Train))
		require.Equal(x, []booking.Date{x.today() + 1}, x.status(s).Diverged)
		require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID))
	}},
	{"DateWithSalesIsWithdrawnNotDropped", func(x *exercise) {
		s, user := x.schedule(x.dailyDraft()), uuid.New()
		train := s.Train(x.today() + 1)
		b := x.book(request(train, user, 1))
		to := s
		to.Exceptions = []booking.Exception{{Date: x.today() + 1}, {Date: x.today() + 2}}
		_, _, err := x.PutSchedule(x.ctx(), to)
		require.NoError(x, err)
		_, err = x.Hold(x.ctx(), request(train, uuid.New(), 2))
		x.requireCode(booking.CodeNotOnSale, err)
		_, err = x.FindTrain(x.ctx(), s.ID.Departure(x.today()+2))
		x.requireCode(booking.CodeNotFound, err)
		require.Equal(x, []booking.TrainID{s.ID.Departure(x.today() + 3)}, x.searched("A", "D"))
		status := x.status(s)
		require.Equal(x, []booking.Date{x.today() + 1}, status.Diverged)
		require.Equal(x, 1, status.Booked)
		_, err = x.FindBooking(x.ctx(), user, b.ID)
		require.NoError(x, err)
		_, _, err = x.PutSchedule(x.ctx(), s)
		require.NoError(x, err)
		require.Zero(x, x.status(s).DivergedCount)
		x.hold(request(train, uuid.New(), 2))
	}},
	{"DelayOfADepartureStays", func(x *exercise) {
		s := x.schedule(x.dailyDraft())
		late := s.Train(x.today() + 2)
		for i := range late.Stops {
			for _, at := range []*time.Time{&late.Stops[i].ArrivesAt, &late.Stops[i].DepartsAt} {
				if !at.IsZero() {
					*at = at.Add(90 * time.Minute)
				}
			}
		}
		_, created, err := x.PutTrain(x.ctx(), late)
		require.NoError(x, err)
		require.False(x, created)
		require.Equal(x, []booking.Date{x.today() + 2}, x.status(s).Diverged)
		s.Capacity = 5
		_, _, err = x.PutSchedule(x.ctx(), s)
		require.NoError(x, err)
		found, err := x.FindTrain(x.ctx(), late.ID)
		require.NoError(x, err)
		late.Capacity = 5
		x.requireSameTrain(late, *found.Train)
	}},
	{"DeletedDepartureIsNotSoldAgain", func(x *exercise) {
		s, user := x.schedule(x.dailyDraft()), uuid.New()
		train := s.Train(x.today() + 1)
		b := x.book(request(train, user, 1))
		x.requireCode(booking.CodeHasBookings, x.DeleteTrain(x.ctx(), train.ID, false))
		require.NoError(x, x.DeleteTrain(x.ctx(), train.ID, true))
		require.NoError(x, x.DeleteTrain(x.ctx(), s.ID.Departure(x.today()+2), false))
		booked, err := x.FindBooking(x.ctx(), user, b.ID)
		require.NoError(x, err)
		require.Equal(x, booking.ByTrain, booked.CancelledBy)
		s.Name = "Changed" // which does not bring it back
		_, _, err = x.PutSchedule(x.ctx(), s)
		require.NoError(x, err)
		_, err = x.Hold(x.ctx(), request(train, user, 1))
		x.requireCode(booking.CodeNotFound, err)
		x.requireCode(booking.CodeNotFound, x.DeleteTrain(x.ctx(), train.ID, true))
		require.Equal(x, []booking.TrainID{s.ID.Departure(x.today() + 3)}, x.searched("A", "D"))
		require.Equal(x, []booking.Date{x.today() + 1, x.today() + 2}, x.status(s).Diverged)
		page, err := x.ListDepartures(x.ctx(), s.ID, x.today()+1, x.today()+1, booking.PageRequest{})
		require.NoError(x, err)
		require.Len(x, page.Items, 1)
		require.True(x, page.Items[0].Cancelled)
		require.True(x, page.Items[0].Diverged)

		_, created, err := x.PutTrain(x.ctx(), s.Train(x.today()+1))
		require.NoError(x, err)
		require.True(x, created)
		require.Equal(x, []booking.Date{x.today() + 2}, x.status(s).Diverged)
		x.hold(request(train, user, 1))
	}},
	{"DeletedScheduleEndsItsSales", func(x *exercise) {
		for _, c := range []struct {
			mode  booking.ScheduleDeletion
			state booking.BookingState
		}{{booking.RetainBooked, booking.BookingConfirmed}, {booking.CancelBooked, booking.BookingCancelled}} {
			s, user := x.schedule(x.dailyDraft()), uuid.New()
			train := s.Train(x.today() + 1)
			b := x.book(request(train, user, 1))
			held := x.hold(request(s.Train(x.today()+2), user, 1))
			x.requireCode(booking.CodeHasBookings, x.DeleteSchedule(x.ctx(), s.ID, booking.RefuseBooked))
			x.requireTally(train, booking.Tally{Booked: 1, Available: 3})
			require.NoError(x, x.DeleteSchedule(x.ctx(), s.ID, c.mode))
			_, err := x.FindSchedule(x.ctx(), s.ID)
			x.requireCode(booking.CodeNotFound, err)
			x.requireCode(booking.CodeNotFound, x.DeleteSchedule(x.ctx(), s.ID, c.mode))
			require.Empty(x, x.searched("A", "D"))
			_, err = x.Hold(x.ctx(), request(s.Train(x.today()+3), user, 1))
			x.requireCode(booking.CodeNotFound, err)
			_, err = x.Confirm(x.ctx(), byHold(held))
			x.requireCode(booking.CodeNotFound, err)
			booked, err := x.FindBooking(x.ctx(), user, b.ID)
			require.NoError(x, err)
			require.Equal(x, c.state, booked.State())
			found, err := x.FindTrain(x.ctx(), train.ID)
			if c.mode == booking.RetainBooked {
				require.NoError(x, err)
				require.False(x, found.Train.OnSale)
				_, created, err := x.PutSchedule(x.ctx(), s)
				require.NoError(x, err)
				require.True(x, created)
				x.hold(request(train, uuid.New(), 2))
				require.NoError(x, x.DeleteSchedule(x.ctx(), s.ID, booking.CancelBooked))
			} else {
				x.requireCode(booking.CodeNotFound, err)
			}
		}
	}},
	{"ScheduleWithoutBookingsIsDeleted", func(x *exercise) {
		s := x.schedule(x.dailyDraft())
		x.hold(request(s.Train(x.today()+1), uuid.New(), 1))
		require.NoError(x, x.DeleteSchedule(x.ctx(), s.ID, booking.RefuseBooked))
		_, err := x.FindTrain(x.ctx(), s.ID.Departure(x.today()+1))
		x.requireCode(booking.CodeNotFound, err)
	}},
	{"ScheduleIsNotCreatedTwice", func(x *exercise) {
		s := x.schedule(x.dailyDraft())
		_, err := x.CreateSchedule(x.ctx(), s)
		x.requireCode(booking.CodeAlreadyExists, err)
		departure := x.draft(1)
		departure.ID = s.ID.Departure(x.today() + 1)
		_, err = x.CreateTrain(x.ctx(), departure)
		x.requireCode(booking.CodeAlreadyExists, err)
		other := x.dailyDraft()
		departure.ID = other.ID.Departure(x.today() + 1)
		x.create(departure)
		_, err = x.CreateSchedule(x.ctx(), other)
		x.requireCode(booking.CodeAlreadyExists, err)
		_, _, err = x.PutSchedule(x.ctx(), other)
		x.requireCode(booking.CodeAlreadyExists, err)
	}},
	{"InvalidAndUnknownSchedulesAreRefused", func(x *exercise) {
		bad := x.dailyDraft()
		bad.Capacity, bad.TimeZone, bad.Until = 0, "Mars/Olympus", bad.From-1
		_, err := x.CreateSchedule(x.ctx(), bad)
		x.requireFields(err, "capacity", "time_zone", "until")
		_, _, err = x.PutSchedule(x.ctx(), bad)
		x.requireFields(err, "capacity", "time_zone", "until")
		bad = x.dailyDraft()
		bad.Name, bad.ID[15] = "\u3164", 1
		_, _, err = x.PutSchedule(x.ctx(), bad)
		x.requireFields(err, "id")
		unknown := booking.NewScheduleID()
		_, err = x.FindSchedule(x.ctx(), unknown)
		x.requireCode(booking.CodeNotFound, err)
		_, err = x.ListDepartures(x.ctx(), unknown, 0, booking.LastDate, booking.PageRequest{})
		x.requireCode(booking.CodeNotFound, err)
		x.requireCode(booking.CodeNotFound, x.DeleteSchedule(x.ctx(), unknown, booking.CancelBooked))
	}},
}

// scheduleZone is a time zone where it is about noon, so that no exercise runs over midnight.
var scheduleZone = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation(fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12)) // the sign is that of POSIX
	if err != nil {
		panic(err)
	}
	return zone
})

// today returns the date in scheduleZone.
func (x *exercise) today() booking.Date { return booking.DateOf(time.Now().In(scheduleZone())) }

// dailyDraft returns a schedule of a train that runs each day from tomorrow on, is sold five days ahead,
// and calls at A, B, C (after midnight) and D.
func (x *exercise) dailyDraft() booking.Schedule {
	at := func(hours int) booking.LocalTime { return booking.LocalTimeOf(time.Duration(hours) * time.Hour) }
	return booking.Schedule{
		ID: booking.NewScheduleID(), Name: "Daily", Capacity: 4, OnSale: true, TimeZone: scheduleZone().String(), SoldDaysAhead: 5,
		Calendar: booking.Calendar{Days: booking.EveryDay, From: x.today() + 1, Until: x.today() + 50},
		Stops: []booking.StopTime{
			{Station: x.station("A"), Departs: at(22)},
			{Station: x.station("B"), Arrives: at(23), Departs: at(23)},
			{Station: x.station("C"), Departs: at(25)},
			{Station: x.station("D"), Arrives: at(30)},
		},
	}
}

// schedule creates a schedule.
func (x *exercise) schedule(draft booking.Schedule) booking.Schedule {
	x.Helper()
	created, err := x.CreateSchedule(x.ctx(), draft)
	require.NoError(x, err)
	return created
}

func (x *exercise) status(s booking.Schedule) booking.ScheduleStatus {
	x.Helper()
	found, err := x.FindSchedule(x.ctx(), s.ID)
	require.NoError(x, err)
	return found
}

func (x *exercise) release(h booking.Hold) {
	x.Helper()
	require.NoError(x, x.Release(x.ctx(), byHold(h)))
}

func datesOf(departures []booking.DepartureStatus) (dates []booking.Date) {
	for _, d := range departures {
		dates = append(dates, d.Date)
	}
	return dates
}

func trainsOf(found []booking.Availability) (ids []booking.TrainID) {
	for _, a := range found {
		ids = append(ids, a.Train.ID)
	}
	return ids
}
