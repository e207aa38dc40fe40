package booking_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
)

// TestMain makes random histories long enough for ended holds to expire and be requested
// again; -rapid.steps on the command line overrides it.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.steps", "200"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestSeatMapAgreesWithTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"hold":    m.hold,
			"again":   m.holdAgain,
			"sell":    m.sell,
			"confirm": m.confirm,
			"release": m.release,
			"extend":  m.extend,
			"settle":  m.settle,
			"cancel":  m.cancel,
			"change":  m.change,
			"written": m.settle, // again, so that most holds and bookings settle
			"restart": m.restart,
		})
	})
}

// machine drives a seat map and the model of it with the same commands.
type machine struct {
	seats    *booking.SeatMap
	model    *bookingtest.Model
	train    booking.Train
	rules    booking.HoldRules
	now      time.Time
	users    []uuid.UUID
	requests []booking.HoldRequest
}

func newMachine(t *rapid.T) *machine {
	m := &machine{now: time.Date(2026, 12, 1, 6, 0, 0, 123_456_789, time.UTC)}
	m.train = booking.Train{
		ID: booking.DerivedTrainID("machine"), Name: "machine", OnSale: true,
		Capacity: rapid.IntRange(1, 6).Draw(t, "capacity"),
	}
	for i := range rapid.IntRange(2, 8).Draw(t, "stops") {
		m.train.Stops = append(m.train.Stops, booking.Stop{Station: fmt.Sprint("Stop ", i)})
	}
	for i := range rapid.IntRange(1, 2).Draw(t, "users") {
		m.users = append(m.users, uuid.UUID{15: byte(i + 1)})
	}
	m.rules = booking.HoldRules{
		TTL:      rapid.SampledFrom([]time.Duration{time.Second, 3 * time.Minute, 2 * time.Hour}).Draw(t, "ttl"),
		MaxSeats: rapid.IntRange(1, 12).Draw(t, "limit"),

		MaxSeatsPerUser: rapid.IntRange(0, 5).Draw(t, "seats per user"),
		ReholdPause:     rapid.SampledFrom([]time.Duration{0, time.Millisecond, 3 * time.Minute}).Draw(t, "pause"),
	}
	m.seats = booking.NewSeatMap(m.train)
	m.model = bookingtest.NewModel(m.train, m.rules)
	return m
}

// advance sometimes advances the clock before a command, to a moment at which a rule changes
// something, or 1 ns before or after it. As the owner does, it then calls Expire.
func (m *machine) advance(t *rapid.T) {
	if rapid.IntRange(0, 7).Draw(t, "advance") > 0 {
		return
	}
	moments := []time.Time{m.now.Add(time.Millisecond), m.now.Add(m.rules.TTL / 2)}
	for _, k := range m.model.Tickets() {
		moments = append(moments, k.Hold.ExpiresAt, k.Hold.ExpiresAt.Add(m.rules.ReholdPause), k.Hold.ExpiresAt.Add(booking.HoldRetention))
		if k.State == bookingtest.Cancelled {
			moments = append(moments, k.Sold.CancelledAt.Add(booking.HoldRetention))
		}
	}
	for _, stop := range m.train.Stops {
		if !stop.DepartsAt.IsZero() {
			moments = append(moments, stop.DepartsAt)
		}
	}
	moments = append(moments, m.train.SalesOpenAt)
	offset := rapid.SampledFrom([]time.Duration{0, -1, 1}).Draw(t, "offset")
	if moment := pick(t, moments, "moment").Add(offset); moment.After(m.now) {
		m.now = moment
		m.seats.Expire(m.now)
	}
}

// segmentState is all that a snapshot returns about a segment.
type segmentState struct {
	Segment booking.Legs
	Tally   booking.Tally
	Seats   []booking.Seat
	List    string
}

// check compares the snapshot with the model on every segment.
func (m *machine) check(t *rapid.T) {
	m.seats.Expire(m.now)
	m.checkTickets(t)
	snapshot, grid := m.seats.Snapshot(), m.model.Grid(m.now)
	require.Same(t, snapshot, m.seats.Snapshot(), "nothing changed")
	var want, got []segmentState
	for from := range len(m.train.Stops) - 1 {
		for to := from + 1; to < len(m.train.Stops); to++ {
			segment := booking.Segment(from, to)
			want = append(want, stateOf(grid, from, to))
			got = append(got, segmentState{
				segment, snapshot.Tally(segment), snapshot.Seats(segment), snapshot.SeatList(segment).String(),
			})
			tally := got[len(got)-1].Tally
			require.Equal(t, m.train.Capacity, tally.Available+tally.Held+tally.Booked)
		}
	}
	require.Equal(t, want, got)
}

func stateOf(grid [][]booking.SeatState, from, to int) segmentState {
	v := segmentState{Segment: booking.Segment(from, to)}
	var free []string
	for n, legs := range grid {
		seat := booking.Seat{Number: n + 1, State: bookingtest.Segment(legs[from:to])}
		v.Seats = append(v.Seats, seat)
		switch seat.State {
		case booking.SeatBooked:
			v.Tally.Booked++
		case booking.SeatHeld:
			v.Tally.Held++
		case booking.SeatAvailable:
			v.Tally.Available++
			free = append(free, strconv.Itoa(seat.Number))
		}
	}
	v.List = "[" + strings.Join(free, ",") + "]"
	return v
}

// checkTickets compares phases and timers.
func (m *machine) checkTickets(t *rapid.T) {
	phases := map[bookingtest.TicketState]booking.Phase{
		bookingtest.Pending: booking.PhasePending, bookingtest.Held: booking.PhaseHeld,
		bookingtest.Confirming: booking.PhaseConfirming, bookingtest.Releasing: booking.PhaseReleasing,
		bookingtest.Extending: booking.PhaseExtending,
	}
	var holds, booked bool
	for _, k := range m.model.Tickets() {
		phase, ok := m.seats.Phase(k.Hold.ID)
		require.Equal(t, k.Holding(m.now), ok, "hold %s is %s", k.Hold.ID, k.State)
		require.Equal(t, k.State == bookingtest.Booked, m.seats.HasBooking(k.Sold.ID))
		if ok {
			require.Equal(t, phases[k.State], phase)
		}
		if ok && phase == booking.PhaseHeld {
			next, some := m.seats.NextDeadline()
			require.True(t, some && !next.After(k.Hold.ExpiresAt), "the timer is too late for a hold")
		}
		holds, booked = holds || ok, booked || k.State == bookingtest.Booked
	}
	require.Equal(t, holds, m.seats.HasHolds())
	require.Equal(t, booked, m.seats.HasBookings())
	if next, some := m.seats.NextDeadline(); some {
		require.True(t, next.After(m.now), "the timer is in the past")
	}
}

// requireSameError compares two errors, except for their messages.
func requireSameError(t require.TestingT, want, got error) {
	if want == nil {
		require.NoError(t, got)
		return
	}
	inTransit, ok := want.(*booking.InTransitError) //nolint:errorlint // the model wraps nothing
	if ok {
		var e *booking.InTransitError
		require.ErrorAs(t, got, &e)
		require.Equal(t, inTransit, e)
		return
	}
	var w, g *booking.Error
	require.ErrorAs(t, want, &w)
	require.ErrorAs(t, got, &g, "want %v", want)
	require.NotEmpty(t, g.Message)
	require.Equal(t, w.Code, g.Code)
	require.Equal(t, w.Seats, g.Seats)
	require.Equal(t, w.RetryAfter, g.RetryAfter)
	require.Equal(t, w.Available, g.Available)
	require.Equal(t, append([]int{}, w.Alternatives...), append([]int{}, g.Alternatives...))
	require.WithinDuration(t, w.ExpiredAt, g.ExpiredAt, 0)
	require.WithinDuration(t, w.SalesOpenAt, g.SalesOpenAt, 0)
	require.WithinDuration(t, w.BecomesFreeAt, g.BecomesFreeAt, 0)
}

// inState returns the tickets in one of the states.
func (m *machine) inState(states ...bookingtest.TicketState) []*bookingtest.Ticket {
	return slices.DeleteFunc(slices.Clone(m.model.Tickets()), func(k *bookingtest.Ticket) bool {
		return !slices.Contains(states, k.State)
	})
}

func (m *machine) stations() []string {
	names := map[string]bool{"": true, "Nowhere": true}
	for _, stop := range m.train.Stops {
		names[stop.Station] = true
	}
	return slices.Sorted(maps.Keys(names))
}
