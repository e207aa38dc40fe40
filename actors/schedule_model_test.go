package actors_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
)

// TestScheduleIsAsIfEveryDepartureWereGenerated runs random commands and compares the service, which
// computes departures, with a model that generates all of them.
func TestScheduleIsAsIfEveryDepartureWereGenerated(t *testing.T) {
	t.Parallel()
	system := start(t, openStores(t), rules)
	rapid.Check(t, func(r *rapid.T) {
		m := newGenerated(r, system)
		m.put(r)
		for range rapid.IntRange(1, 15).Draw(r, "steps") {
			rapid.SampledFrom([]func(*rapid.T){
				m.put, m.put, m.hold, m.hold, m.hold, m.confirm, m.confirm, m.release, m.cancel, m.changeDeparture,
				m.deleteDeparture, m.deleteSchedule,
			}).Draw(r, "command")(r)
			m.requireSame(r)
		}
	})
}

// generated is one schedule with all of its departures from tomorrow on.
type generated struct {
	service    *actors.System
	id         booking.ScheduleID
	line       string // makes the names of stations unique
	user       uuid.UUID
	zone       string
	from       booking.Date
	schedule   *booking.Schedule // as it was last, ended if it is deleted; nil before the first
	deleted    bool
	departures [6]generatedDeparture
}

// generatedDeparture is the departure on one date.
type generatedDeparture struct {
	train     *booking.Train // nil: there is none
	cancelled bool
	holds     []booking.Hold
	bookings  []booking.Booking
}

func newGenerated(r *rapid.T, service *actors.System) *generated {
	zone := fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12) // where it is about noon
	location, err := time.LoadLocation(zone)
	require.NoError(r, err)
	return &generated{
		service: service, id: booking.NewScheduleID(), line: " " + uuid.NewString(), user: uuid.New(), zone: zone,
		from: booking.DateOf(time.Now().In(location)) + 1, deleted: true,
	}
}

func (m *generated) draw(r *rapid.T) booking.Schedule {
	s := booking.Schedule{
		ID: m.id, Name: rapid.SampledFrom([]string{"Day", "Night"}).Draw(r, "name"),
		Capacity: rapid.IntRange(1, 3).Draw(r, "capacity"), OnSale: rapid.IntRange(0, 5).Draw(r, "on sale") > 0,
		TimeZone: m.zone, SoldDaysAhead: rapid.SampledFrom([]int{30, 30, 4}).Draw(r, "ahead"),
		Calendar: booking.Calendar{Days: booking.EveryDay, From: m.from, Until: m.from + booking.Date(len(m.departures)) - 1},
	}
	for i := range m.departures {
		if rapid.IntRange(0, 4).Draw(r, "pause") == 0 {
			s.Exceptions = append(s.Exceptions, booking.Exception{Date: m.from + booking.Date(i)})
		}
	}
	leaves := time.Duration(rapid.IntRange(9, 11).Draw(r, "leaves")) * time.Hour
	middle := rapid.SampledFrom([]string{"B", "B", "C"}).Draw(r, "middle")
	for i, name := range []string{"A", middle, "D"} {
		at := booking.LocalTimeOf(leaves + time.Duration(i)*time.Hour)
		stop := booking.StopTime{Station: name + m.line}
		if i < 2 {
			stop.Departs = at
		} else {
			stop.Arrives = at
		}
		s.Stops = append(s.Stops, stop)
	}
	return s
}

func (m *generated) put(r *rapid.T) {
	to := m.draw(r)
	put, created, err := m.service.PutSchedule(r.Context(), to)
	require.NoError(r, err)
	require.Equal(r, m.deleted, created)
	require.True(r, to.Same(&put))
	before := m.schedule
	if before == nil {
		ended := to.Ended()
		before = &ended
	}
	m.schedule, m.deleted = &to, false
	for i := range m.departures {
		m.departures[i].follow(m.from+booking.Date(i), before, &to)
	}
}

// follow changes a departure as its schedule has changed.
func (d *generatedDeparture) follow(date booking.Date, before, after *booking.Schedule) {
	if d.train == nil {
		if after.Runs(date) && !d.cancelled {
			train := after.Train(date)
			d.train = &train
		}
		return
	}
	to, following := booking.Follow(*d.train, date, d.taken(), before, after)
	d.train = &to
	if following == booking.Dropped {
		d.train = nil
	}
}

func (d *generatedDeparture) taken() (highest booking.Taken) {
	for _, h := range d.holds {
		highest = max(highest, booking.Taken(slices.Max(h.Seats)))
	}
	for _, b := range d.bookings {
		highest = max(highest, booking.Taken(slices.Max(b.Seats)))
	}
	return highest
}

// departure draws one.
func (m *generated) departure(r *rapid.T) (*generatedDeparture, booking.TrainID) {
	i := rapid.IntRange(0, len(m.departures)-1).Draw(r, "departure")
	return &m.departures[i], m.id.Departure(m.from + booking.Date(i))
}

func (m *generated) hold(r *rapid.T) {
	d, id := m.departure(r)
	seat := rapid.IntRange(1, 3).Draw(r, "seat")
	h, err := m.service.Hold(r.Context(), booking.HoldRequest{Train: id, User: uuid.New(), Seats: []int{seat}})
	takes := func(seats []int) bool { return slices.Contains(seats, seat) }
	switch {
	case d.train == nil, seat > d.train.Capacity:
		require.Equal(r, booking.CodeNotFound, booking.CodeOf(err))
	case !d.train.Sells(time.Now()):
		require.Equal(r, booking.CodeNotOnSale, booking.CodeOf(err))
	case slices.ContainsFunc(d.holds, func(h booking.Hold) bool { return takes(h.Seats) }):
		require.Equal(r, booking.CodeSeatLocked, booking.CodeOf(err))
	case slices.ContainsFunc(d.bookings, func(b booking.Booking) bool { return takes(b.Seats) }):
		require.Equal(r, booking.CodeSeatBooked, booking.CodeOf(err))
	default:
		require.NoError(r, err)
		d.holds = append(d.holds, h)
	}
}

func (m *generated) confirm(r *rapid.T) {
	d, _ := m.departure(r)
	if len(d.holds) == 0 {
		return
	}
	h := d.holds[0]
	d.holds = d.holds[1:]
	b, err := m.service.Confirm(r.Context(), refTo(h))
	if !d.train.Sells(time.Now()) {
		require.Equal(r, booking.CodeNotOnSale, booking.CodeOf(err))
		return
	}
	require.NoError(r, err)
	d.bookings = append(d.bookings, b)
}

func (m *generated) release(r *rapid.T) {
	d, _ := m.departure(r)
	if len(d.holds) == 0 {
		return
	}
	require.NoError(r, m.service.Release(r.Context(), refTo(d.holds[0])))
	d.holds = d.holds[1:]
}

func (m *generated) cancel(r *rapid.T) {
	d, _ := m.departure(r)
	if len(d.bookings) == 0 {
		return
	}
	require.NoError(r, m.service.CancelBooking(r.Context(), d.bookings[0].User, d.bookings[0].ID))
	d.bookings = d.bookings[1:]
}

// changeDeparture delays a departure, withdraws it or puts it on sale.
func (m *generated) changeDeparture(r *rapid.T) {
	d, id := m.departure(r)
	if d.train == nil {
		_, err := m.service.FindTrain(r.Context(), id)
		require.Equal(r, booking.CodeNotFound, booking.CodeOf(err))
		return
	}
	to := *d.train
	to.Stops = slices.Clone(to.Stops)
	if rapid.Bool().Draw(r, "delay") {
		to.Stops[1].DepartsAt = to.Stops[1].DepartsAt.Add(time.Minute)
	} else {
		to.OnSale = !to.OnSale
	}
	_, created, err := m.service.PutTrain(r.Context(), to)
	require.NoError(r, err)
	require.False(r, created)
	d.train = &to
}

func (m *generated) deleteDeparture(r *rapid.T) {
	d, id := m.departure(r)
	force := rapid.Bool().Draw(r, "force")
	err := m.service.DeleteTrain(r.Context(), id, force)
	switch {
	case d.train == nil:
		require.Equal(r, booking.CodeNotFound, booking.CodeOf(err))
	case len(d.bookings) > 0 && !force:
		require.Equal(r, booking.CodeHasBookings, booking.CodeOf(err))
	default:
		require.NoError(r, err)
		*d = generatedDeparture{cancelled: !m.deleted}
	}
}

func (m *generated) deleteSchedule(r *rapid.T) {
	mode := rapid.SampledFrom([]booking.ScheduleDeletion{
		booking.RefuseBooked, booking.RetainBooked, booking.CancelBooked,
	}).Draw(r, "mode")
	err := m.service.DeleteSchedule(r.Context(), m.id, mode)
	booked := slices.ContainsFunc(m.departures[:], func(d generatedDeparture) bool { return len(d.bookings) > 0 })
	switch {
	case m.deleted:
		require.Equal(r, booking.CodeNotFound, booking.CodeOf(err))
		return
	case booked && mode == booking.RefuseBooked:
		require.Equal(r, booking.CodeHasBookings, booking.CodeOf(err))
		return
	}
	require.NoError(r, err)
	ended := m.schedule.Ended()
	for i := range m.departures {
		d := &m.departures[i]
		if d.train == nil || len(d.bookings) == 0 || mode == booking.CancelBooked {
			*d = generatedDeparture{}
			continue
		}
		d.follow(m.from+booking.Date(i), m.schedule, &ended)
		d.cancelled = false
	}
	m.schedule, m.deleted = &ended, true
}

func (m *generated) requireSame(r *rapid.T) {
	var diverged []booking.Date
	for i := range m.departures {
		date, d := m.from+booking.Date(i), &m.departures[i]
		found, err := m.service.FindTrain(r.Context(), m.id.Departure(date))
		m.requireSearched(r, date, d)
		if d.cancelled && m.schedule.Runs(date) || d.train != nil && m.schedule.Diverges(d.train, date) {
			diverged = append(diverged, date)
		}
		if d.train == nil {
			require.Equal(r, booking.CodeNotFound, booking.CodeOf(err), date)
			continue
		}
		require.NoError(r, err, date)
		require.True(r, d.train.Same(found.Train), "%s: want %v, got %v", date, d.train, found.Train)
		require.Equal(r, len(d.bookings), found.Booked)
		require.Equal(r, len(d.holds), found.Held)
	}
	status, err := m.service.FindSchedule(r.Context(), m.id)
	if m.deleted {
		require.Equal(r, booking.CodeNotFound, booking.CodeOf(err))
		return
	}
	require.NoError(r, err)
	require.Equal(r, diverged, status.Diverged)
	m.requireListed(r)
}

// requireSearched checks that a search by date finds the departure if it can be booked.
func (m *generated) requireSearched(r *rapid.T, date booking.Date, d *generatedDeparture) {
	found, err := m.service.Search(r.Context(), "A"+m.line, "D"+m.line, date.Begins(time.UTC))
	require.NoError(r, err)
	if d.train == nil || !d.train.Sells(time.Now()) {
		require.Empty(r, found.Trains)
		return
	}
	require.Len(r, found.Trains, 1)
	require.True(r, d.train.Same(found.Trains[0].Train))
}

// requireListed checks the list of departures, and the next one.
func (m *generated) requireListed(r *rapid.T) {
	page, err := m.service.ListDepartures(r.Context(), m.id, m.from, booking.LastDate, booking.PageRequest{})
	require.NoError(r, err)
	var next []booking.TrainID
	for i := range m.departures {
		date, d := m.from+booking.Date(i), &m.departures[i]
		if d.train != nil && d.train.Sells(time.Now()) && next == nil {
			next = []booking.TrainID{d.train.ID}
		}
		at, listed := slices.BinarySearchFunc(page.Items, date, func(s booking.DepartureStatus, date booking.Date) int {
			return cmp.Compare(s.Date, date)
		})
		require.Equal(r, d.train != nil || d.cancelled && m.schedule.Runs(date), listed, date)
		if listed {
			require.Equal(r, d.train == nil, page.Items[at].Cancelled)
			require.Equal(r, len(d.bookings), page.Items[at].Booked)
		}
	}
	found, err := m.service.Search(r.Context(), "A"+m.line, "D"+m.line, time.Time{})
	require.NoError(r, err)
	var ids []booking.TrainID
	for _, a := range found.Trains {
		ids = append(ids, a.Train.ID)
	}
	require.Equal(r, next, ids)
}
