package booking_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// These rules are tested by name in addition to the random histories. A bug once broke most of
// them.

var (
	anna = uuid.UUID{15: 1}
	noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

	rules = booking.HoldRules{TTL: 3 * time.Minute, MaxSeats: 10}
	none  booking.History // of a user who had nothing before
)

// lineABCD calls at A, B, C and D and has the given number of seats.
func lineABCD(seats int) booking.Train {
	train := booking.Train{ID: booking.DerivedTrainID("ABCD"), Name: "ABCD", Capacity: seats, OnSale: true}
	for _, station := range []string{"A", "B", "C", "D"} {
		train.Stops = append(train.Stops, booking.Stop{Station: station})
	}
	return train
}

// held makes a hold and reports it as written.
func held(tb testing.TB, m *booking.SeatMap, user uuid.UUID, from, to string, now time.Time, seats ...int) booking.Hold {
	tb.Helper()
	hold, made, err := m.Hold(booking.HoldRequest{
		ID: booking.NewHoldID(m.Train().ID), User: user, Seats: seats, From: from, To: to,
	}, rules, none, now)
	require.NoError(tb, err)
	require.True(tb, made)
	m.HoldWritten(hold.ID)
	return hold
}

// booked makes a hold and confirms it.
func booked(tb testing.TB, m *booking.SeatMap, user uuid.UUID, from, to string, now time.Time, seats ...int) booking.Booking {
	tb.Helper()
	hold := held(tb, m, user, from, to, now, seats...)
	b, id, made, err := m.Confirm(booking.HoldRef{User: user, Hold: hold.ID}, none, now)
	require.NoError(tb, err)
	require.True(tb, made)
	require.Equal(tb, hold.ID, id)
	m.Booked(id, b)
	return b
}

func requireCode(t *testing.T, code booking.Code, err error) {
	t.Helper()
	require.Equal(t, code, booking.CodeOf(err), "%v", err)
}

func TestRetryOfAConfirmedHoldIsRefused(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(9))
	request := booking.HoldRequest{ID: booking.NewHoldID(m.Train().ID), User: anna, Count: 3}
	hold, _, err := m.Hold(request, rules, none, noon)
	require.NoError(t, err)
	m.HoldWritten(hold.ID)
	b, _, _, err := m.Confirm(booking.HoldRef{User: anna, Hold: hold.ID}, none, noon)
	require.NoError(t, err)
	m.Booked(hold.ID, b)

	_, _, err = m.Hold(request, rules, none, noon)

	requireCode(t, booking.CodeSeatBooked, err)
	require.Equal(t, booking.Tally{Booked: 3, Available: 6}, m.Snapshot().Tally(m.Train().Run()))
}

func TestConfirmComparesItsOwnTimeWithTheDeadline(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(1))
	hold := held(t, m, anna, "A", "B", noon, 1)
	ref := booking.HoldRef{User: anna, Hold: hold.ID}
	_, _, made, err := m.Confirm(ref, none, noon)
	require.NoError(t, err)
	require.True(t, made)
	// The write is slow and fails. Two more confirms that arrived in between are decided
	// before Expire is called: one of them arrived in time, the other at the deadline.
	m.ConfirmFailed(hold.ID)
	_, _, _, err = m.Confirm(ref, none, hold.ExpiresAt)
	requireCode(t, booking.CodeHoldExpired, err)
	b, _, made, err := m.Confirm(ref, none, hold.ExpiresAt.Add(-1))
	require.NoError(t, err)
	require.True(t, made)
	require.Equal(t, hold.Seats, b.Seats)
}

func TestHoldInTransitOutlivesItsDeadline(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(1))
	hold, _, err := m.Hold(booking.HoldRequest{ID: booking.NewHoldID(m.Train().ID), User: anna, Count: 1}, rules, none, noon)
	require.NoError(t, err)
	require.Zero(t, m.Expire(hold.ExpiresAt.Add(time.Hour)))
	require.True(t, m.HasHolds())
	m.HoldWritten(hold.ID)
	next, ok := m.NextDeadline()
	require.True(t, ok)
	require.Equal(t, hold.ExpiresAt, next)
	require.Equal(t, 1, m.Expire(hold.ExpiresAt.Add(time.Hour)))
	require.False(t, m.HasHolds())
}

func TestRestoredHoldHasNoMoreTimeThanANewOne(t *testing.T) {
	t.Parallel()
	id := booking.NewHoldID(lineABCD(1).ID)
	m := booking.NewSeatMap(lineABCD(1))
	shortened, _ := m.Restore(booking.Stored{Holds: []booking.Hold{{
		ID: id, User: anna, Legs: booking.Segment(0, 3), Seats: []int{1}, ExpiresAt: noon.Add(24 * time.Hour),
	}}}, time.Minute, noon)
	require.Len(t, shortened, 1)
	require.Equal(t, noon.Add(time.Minute), shortened[0].ExpiresAt)
	require.Zero(t, m.Expire(noon.Add(time.Minute-1)))
	require.Equal(t, 1, m.Expire(noon.Add(time.Minute)))
}

func TestRestoreDropsWhatContradictsTheBookings(t *testing.T) {
	t.Parallel()
	train := lineABCD(2)
	hold := func(seat, from, to int) booking.Hold {
		return booking.Hold{
			ID: booking.NewHoldID(train.ID), User: anna, Legs: booking.Segment(from, to), Seats: []int{seat},
			ExpiresAt: noon.Add(time.Minute),
		}
	}
	m := booking.NewSeatMap(train)
	_, differing := m.Restore(booking.Stored{
		Bookings: []booking.Booking{{ID: uuid.New(), User: anna, Legs: booking.Segment(1, 2), Seats: []int{1}}},
		Seats:    map[int]booking.Legs{1: booking.Segment(1, 2)},
		Holds:    []booking.Hold{hold(1, 0, 2), hold(3, 0, 1), hold(2, 0, 4), hold(2, 0, 1)},
	}, rules.TTL, noon)
	require.Empty(t, differing)
	require.Equal(t, booking.Tally{Booked: 1, Held: 1}, m.Snapshot().Tally(train.Run()))
	require.Len(t, m.LiveHolds(), 1)
	require.Equal(t, booking.Tally{Available: 2}, m.Snapshot().Tally(booking.Segment(2, 3)))
}

func TestDeadlineIsAWholeMillisecondInUTC(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(1))
	now := time.Date(2026, 12, 1, 12, 0, 0, 1_999_999, time.FixedZone("", 19800))
	hold := held(t, m, anna, "", "", now, 1)
	require.Equal(t, time.Date(2026, 12, 1, 6, 33, 0, 1_000_000, time.UTC), hold.ExpiresAt)
}

// Found by test/simulate, seed 3: the timer of the first hold ended the second.
func TestRetriedHoldEndsAtItsOwnDeadline(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(1))
	request := booking.HoldRequest{ID: booking.NewHoldID(m.Train().ID), User: anna, Seats: []int{1}}
	first, _, err := m.Hold(request, rules, none, noon)
	require.NoError(t, err)
	m.HoldWritten(first.ID)
	_, err = m.Release(booking.HoldRef{User: anna, Hold: first.ID}, none, noon)
	require.NoError(t, err)
	m.Released(first.ID)
	second, made, err := m.Hold(request, rules, none, noon.Add(time.Minute))
	require.NoError(t, err)
	require.True(t, made)
	m.HoldWritten(second.ID)

	require.Zero(t, m.Expire(first.ExpiresAt))
	_, _, _, err = m.Confirm(booking.HoldRef{User: anna, Hold: second.ID}, none, second.ExpiresAt.Add(-time.Millisecond))
	require.NoError(t, err)
	m.ConfirmFailed(second.ID)
	require.Equal(t, 1, m.Expire(second.ExpiresAt))
}

// Found by test/simulate, seed 86: the hold could not become a booking, since that was
// cancelled, and the next Restore dropped it.
func TestRetryOfAHoldWhoseBookingWasCancelledIsRefused(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(1))
	request := booking.HoldRequest{ID: booking.NewHoldID(m.Train().ID), User: anna, Seats: []int{1}}
	hold, _, err := m.Hold(request, rules, none, noon)
	require.NoError(t, err)
	m.HoldWritten(hold.ID)
	b, _, _, err := m.Confirm(booking.HoldRef{User: anna, Hold: hold.ID}, none, noon)
	require.NoError(t, err)
	m.Booked(hold.ID, b)
	m.Cancelled(b.ID)
	b.CancelledAt = noon

	_, _, err = m.Hold(request, rules, booking.History{Cancelled: []booking.Booking{b}}, noon.Add(24*time.Hour))
	requireCode(t, booking.CodeSeatBooked, err)
	held(t, m, anna, "", "", noon, 1) // the seat is on sale
}

func TestRecordOfAHoldWhoseBookingWasCancelledIsNotRestored(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(1))
	h := booking.Hold{
		ID: booking.NewHoldID(m.Train().ID), User: anna, Legs: booking.Segment(0, 1), Seats: []int{1}, ExpiresAt: noon.Add(time.Minute),
	}
	m.Restore(booking.Stored{Holds: []booking.Hold{h}, Cancelled: []uuid.UUID{booking.BookingIDOf(anna, h.ID)}}, rules.TTL, noon)
	require.False(t, m.HasHolds())
}

func TestSeatOfWhichASegmentEndedIsAmbiguousForAnHour(t *testing.T) {
	t.Parallel()
	other := booking.Segment(1, 2)
	for name, history := range map[string]booking.History{
		"a hold":    {Holds: []booking.Hold{{Seats: []int{1}, Legs: other, ExpiresAt: noon}}},
		"a booking": {Cancelled: []booking.Booking{{Seats: []int{1}, Legs: other, CancelledAt: noon.Add(-booking.HoldRetention + 1)}}},
	} {
		m := booking.NewSeatMap(lineABCD(1))
		h := held(t, m, anna, "A", "B", noon, 1)
		ref := booking.HoldRef{User: anna, Seat: 1}
		require.True(t, m.NeedsHistory(ref), name)
		_, _, _, err := m.Confirm(ref, history, noon)
		requireCode(t, booking.CodeAmbiguousHold, err)
		_, err = m.Release(ref, history, noon)
		requireCode(t, booking.CodeAmbiguousHold, err)

		ref.Hold = h.ID
		require.False(t, m.NeedsHistory(ref), name)
		_, _, made, err := m.Confirm(ref, none, noon)
		require.NoError(t, err)
		require.True(t, made, name)
	}
	m := booking.NewSeatMap(lineABCD(1))
	held(t, m, anna, "A", "B", noon, 1)
	_, _, _, err := m.Confirm(booking.HoldRef{User: anna, Seat: 1}, booking.History{
		Holds:     []booking.Hold{{Seats: []int{1}, Legs: booking.Segment(0, 1)}, {Seats: []int{2}, Legs: other}},
		Cancelled: []booking.Booking{{Seats: []int{1}, Legs: other, CancelledAt: noon.Add(-booking.HoldRetention)}},
	}, noon)
	require.NoError(t, err, "the same segment, another seat, and more than an hour ago")
}

func TestTrainWithOneLegNeedsNoHistory(t *testing.T) {
	t.Parallel()
	train := lineABCD(1)
	train.Stops = train.Stops[:2]
	require.False(t, booking.NewSeatMap(train).NeedsHistory(booking.HoldRef{User: anna, Seat: 1}))
}

func TestLegsOfEitherSeatsOrBookingsAreTaken(t *testing.T) {
	t.Parallel()
	first, second := booking.Segment(0, 1), booking.Segment(1, 2)
	m := booking.NewSeatMap(lineABCD(3))
	_, differing := m.Restore(booking.Stored{
		Bookings: []booking.Booking{
			{ID: uuid.New(), User: anna, Legs: first, Seats: []int{1}}, // without a row for the seat
			{ID: uuid.New(), User: anna, Legs: first, Seats: []int{2}},
			{ID: uuid.New(), User: anna, Legs: first, Seats: []int{8}}, // not on this train
		},
		Seats: map[int]booking.Legs{2: first | second, 3: 0, 9: second, 10: 0},
	}, rules.TTL, noon)
	require.Equal(t, []int{1, 2, 9}, differing)
	const b, f = booking.SeatBooked, booking.SeatAvailable
	for seat, want := range map[int][]booking.SeatState{1: {b, f, f}, 2: {b, b, f}, 3: {f, f, f}} {
		for leg, state := range want {
			require.Equal(t, state, m.Snapshot().Seats(booking.Segment(leg, leg+1))[seat-1].State, "seat %d, leg %d", seat, leg)
		}
	}
}

func TestHoldThatTheStoreRefusesForGoodIsRemoved(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(1))
	h := held(t, m, anna, "A", "B", noon, 1)
	_, _, _, err := m.Confirm(booking.HoldRef{User: anna, Hold: h.ID}, none, noon)
	require.NoError(t, err)
	requireCode(t, booking.CodeSeatNotLocked, m.ConfirmRefused(h.ID))
	require.False(t, m.HasHolds())
	held(t, m, uuid.UUID{15: 2}, "A", "B", noon, 1)
}

func TestSeatThatSomebodyElseWantedIsNotHeldAgainAtOnce(t *testing.T) {
	t.Parallel()
	const pause = time.Minute
	rules := rules
	rules.ReholdPause = pause
	request := func(user uuid.UUID, seats ...int) booking.HoldRequest {
		return booking.HoldRequest{ID: booking.NewHoldID(booking.DerivedTrainID("ABCD")), User: user, Seats: seats}
	}
	for name, c := range map[string]struct {
		wanted  bool                                                       // by ravi
		end     func(m *booking.SeatMap, h booking.Hold) (ended time.Time) // of the hold
		refused bool
	}{
		"expired":             {true, expire, true},
		"released":            {true, release, true},
		"nobody else waiting": {false, expire, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := booking.NewSeatMap(lineABCD(3))
			first, _, err := m.Hold(request(anna, 1, 2), rules, none, noon)
			require.NoError(t, err)
			m.HoldWritten(first.ID)
			if c.wanted {
				_, _, err = m.Hold(request(ravi, 1), rules, none, noon)
				requireCode(t, booking.CodeSeatLocked, err)
			}
			ended := c.end(m, first)
			_, _, err = m.Hold(request(anna, 1), rules, none, ended.Add(pause-1))
			if !c.refused {
				require.NoError(t, err)
				return
			}
			requireCode(t, booking.CodeHeldTooLong, err)
			e, _ := errors.AsType[*booking.Error](err)
			require.WithinDuration(t, ended.Add(pause), e.BecomesFreeAt, 0)
			require.Equal(t, []int{2, 3}, e.Alternatives, "nobody wanted seat 2")
			for user, seats := range map[uuid.UUID][]int{anna: {2, 3}, ravi: {1}} {
				r := request(user)
				r.Count = len(seats)
				h, _, err := m.Hold(r, rules, none, ended)
				require.NoError(t, err)
				require.Equal(t, seats, h.Seats)
				m.HoldFailed(h.ID)
			}
			_, _, err = m.Hold(request(anna, 1), rules, none, ended.Add(pause))
			require.NoError(t, err)
		})
	}
}

func expire(m *booking.SeatMap, h booking.Hold) time.Time {
	m.Expire(h.ExpiresAt)
	return h.ExpiresAt
}

func release(m *booking.SeatMap, h booking.Hold) time.Time {
	at := noon.Add(time.Second)
	_, _ = m.Release(booking.HoldRef{User: h.User, Hold: h.ID}, none, at)
	m.Released(h.ID)
	return at
}
