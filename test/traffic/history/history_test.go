package history_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic/history"
)

const (
	second = time.Second
	tick   = 10 * time.Millisecond // the duration of an operation
	ttl    = 5 * time.Second
)

var (
	train      = booking.DerivedTrainID("express")
	asha, ravi = uuid.NewSHA1(uuid.Nil, []byte("asha")), uuid.NewSHA1(uuid.Nil, []byte("ravi"))
	one, two   = booking.DerivedHoldID(train, "one"), booking.DerivedHoldID(train, "two")
)

// at returns an operation on seat 1 that returns one tick after its call.
func at(call time.Duration, kind history.Kind, user uuid.UUID, result history.Result) history.Operation {
	return history.Operation{
		Train: train, Seats: []int{1}, Legs: 1, User: user, Kind: kind, Result: result, Call: call, Return: call + tick,
	}
}

func hold(call time.Duration, user uuid.UUID, id booking.HoldID) history.Operation {
	o := at(call, history.Hold, user, history.Done)
	o.Hold, o.Ends = id, call+ttl
	return o
}

func confirm(call time.Duration, user uuid.UUID, id booking.HoldID, result history.Result) history.Operation {
	o := at(call, history.Confirm, user, result)
	o.Hold = id
	if result == history.Done {
		o.Booking = booking.BookingIDOf(user, id)
	}
	return o
}

// for3Seconds returns the operation with a duration of three seconds.
func for3Seconds(o history.Operation) history.Operation {
	o.Return = o.Call + 3*second
	return o
}

func release(call time.Duration, user uuid.UUID, id booking.HoldID, result history.Result) history.Operation {
	o := at(call, history.Release, user, result)
	o.Hold = id
	return o
}

func cancel(call time.Duration, user uuid.UUID, id booking.HoldID, result history.Result) history.Operation {
	o := at(call, history.Cancel, user, result)
	o.Booking = booking.BookingIDOf(user, id)
	return o
}

func seatMap(call time.Duration, state booking.SeatState) history.Operation {
	o := at(call, history.SeatMap, uuid.Nil, history.Done)
	o.States = []booking.SeatState{state}
	return o
}

func remove(call time.Duration, force bool, result history.Result) history.Operation {
	o := at(call, history.Delete, uuid.Nil, result)
	o.Force = force
	return o
}

// on returns the operation with other seats and legs.
func on(legs booking.Legs, seats []int, o history.Operation) history.Operation {
	o.Legs, o.Seats = legs, seats
	return o
}

// stored returns the stored booking of a hold, live or cancelled.
func stored(user uuid.UUID, id booking.HoldID, live bool) booking.Booking {
	b := booking.Booking{ID: booking.BookingIDOf(user, id), Train: train, User: user, Legs: 1, Seats: []int{1}}
	if !live {
		b.CancelledAt = time.Unix(1, 0)
	}
	return b
}

func TestCheckAcceptsGoodHistoriesOnly(t *testing.T) {
	t.Parallel()
	type operations = []history.Operation
	const (
		done, locked, booked = history.Done, history.Locked, history.Booked
		notLocked, unknown   = history.NotLocked, history.Unknown
	)
	his := booking.BookingIDOf(ravi, two)
	none, hers := []booking.Booking{}, []booking.Booking{stored(asha, one, true)}
	tests := []struct {
		name       string
		good       bool
		operations operations
		stored     []booking.Booking // nil: unknown
		losses     []history.Loss
	}{
		{"a seat is held, confirmed, cancelled and held by another", true, operations{
			hold(0, asha, one), at(1*second, history.Hold, ravi, locked), seatMap(1*second, booking.SeatHeld),
			confirm(2*second, asha, one, done), confirm(2*second, asha, one, done), seatMap(3*second, booking.SeatBooked),
			at(3*second, history.Hold, ravi, booked), cancel(4*second, asha, one, done), seatMap(5*second, booking.SeatAvailable),
			hold(6*second, ravi, two),
		}, []booking.Booking{stored(asha, one, false)}, nil},
		{"a hold is released and taken by another", true, operations{
			hold(0, asha, one), release(second, asha, one, done), hold(2*second, ravi, two), confirm(3*second, asha, one, notLocked),
		}, nil, nil},
		{"a hold expires", true, operations{hold(0, asha, one), hold(5*second, ravi, two), confirm(6*second, asha, one, notLocked)}, nil, nil},
		{"a seat is sold twice", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), hold(2*second, ravi, two), confirm(3*second, ravi, two, done),
		}, nil, nil},
		{"a hold is given on a booked seat", false, operations{hold(0, asha, one), confirm(second, asha, one, done), hold(7*second, ravi, two)}, nil, nil},
		{"two users hold a seat", false, operations{hold(0, asha, one), hold(2*second, ravi, two)}, nil, nil},
		{"a hold ends too early for another", false, operations{hold(0, asha, one), hold(4900*time.Millisecond, ravi, two)}, nil, nil},
		{"a hold ends too early for its user", false, operations{hold(0, asha, one), confirm(4*second, asha, one, notLocked)}, nil, nil},
		{"a seat map shows the end of a hold too early", false, operations{hold(0, asha, one), seatMap(4*second, booking.SeatAvailable)}, nil, nil},
		{"a hold is confirmed after its end", false, operations{hold(0, asha, one), confirm(6*second, asha, one, done)}, nil, nil},
		{"a seat stays locked long after its hold", false, operations{hold(0, asha, one), at(7*second, history.Hold, ravi, locked)}, nil, nil},
		{"a hold is confirmed by another", false, operations{hold(0, asha, one), confirm(second, ravi, one, done)}, nil, nil},
		{"a hold is released by another", false, operations{
			hold(0, asha, one), release(second, ravi, one, done), seatMap(2*second, booking.SeatAvailable),
		}, nil, nil},
		{"a free seat is refused", false, operations{at(0, history.Hold, ravi, locked)}, nil, nil},
		{"a booking is lost", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), seatMap(2*second, booking.SeatAvailable),
		}, hers, nil},
		{"a booked seat is held by the next user", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), hold(6*second, ravi, two),
		}, hers, nil},
		{"a booking is not found by its user", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), cancel(2*second, asha, one, history.NotFound),
		}, hers, nil},
		{"a booking is missing from the store in the end", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done),
		}, none, nil},
		{"the store has a booking that no client made", false, operations{
			hold(0, asha, one), at(second, history.Hold, ravi, locked),
		}, []booking.Booking{stored(ravi, two, true)}, nil},
		{"a booking has the id of another", false, operations{hold(0, asha, one), func() history.Operation {
			o := confirm(second, asha, one, done)
			o.Booking = his
			return o
		}()}, nil, nil},

		{"a confirm without a response was stored", true, operations{
			hold(0, asha, one), confirm(second, asha, one, unknown), at(4*second, history.Hold, ravi, locked),
			at(7*second, history.Hold, ravi, booked),
		}, hers, nil},
		{"a confirm without a response was not stored", true, operations{
			hold(0, asha, one), confirm(second, asha, one, unknown), hold(6*second, ravi, two),
		}, none, nil},
		{"a confirm without a response was stored and the seat given to another", false, operations{
			hold(0, asha, one), confirm(second, asha, one, unknown), hold(6*second, ravi, two),
		}, hers, nil},
		{"a confirm that came in time is refused by the next owner, and locked the seat until then", true, operations{
			hold(0, asha, one), for3Seconds(confirm(4900*time.Millisecond, asha, one, notLocked)), at(7*second, history.Hold, ravi, locked),
		}, nil, nil},
		{"a confirm by another locks a seat past the end of the hold", false, operations{
			hold(0, asha, one), for3Seconds(confirm(4900*time.Millisecond, ravi, one, notLocked)), at(7*second, history.Hold, ravi, locked),
		}, nil, nil},
		{"a confirm that failed with not_executed was executed", false, operations{
			hold(0, asha, one), confirm(second, asha, one, history.NotExecuted), seatMap(2*second, booking.SeatBooked),
		}, hers, nil},
		{"a hold without a response was stored", true, operations{at(0, history.Hold, asha, unknown), at(2*second, history.Hold, ravi, locked)}, nil, nil},
		{"a hold without a response was not stored", true, operations{at(0, history.Hold, asha, unknown), hold(2*second, ravi, two)}, nil, nil},
		{"a hold without a response is found by the next request", true, operations{
			at(0, history.Hold, asha, unknown), hold(2*second, asha, one), confirm(3*second, asha, one, done),
		}, nil, nil},
		{"a hold that was found goes to another", false, operations{
			at(0, history.Hold, asha, unknown), hold(2*second, asha, one), hold(3*second, ravi, two),
		}, nil, nil},
		{"a hold ends for an operation after which there is one from before", false, operations{
			hold(0, asha, one), func() history.Operation { // it is earlier in the order, as the next response proves
				o := hold(second, ravi, two)
				o.Return = 6 * second
				return o
			}(), at(2*second, history.Hold, asha, locked),
		}, nil, nil},
		{"a hold locks the seat at one owner and is refused by the next", true, operations{
			for3Seconds(at(0, history.Hold, asha, locked)), at(second, history.Hold, ravi, locked),
			for3Seconds(hold(2*second, ravi, two)),
		}, nil, nil},
		{"two users are refused the same free seat at once", false, operations{
			at(0, history.Hold, asha, locked), at(0, history.Hold, ravi, locked),
		}, nil, nil},
		{"a hold in flight locks a seat and fails", true, operations{
			at(0, history.Hold, asha, history.NotExecuted), at(0, history.Hold, ravi, locked), seatMap(second, booking.SeatAvailable),
		}, nil, nil},
		{"a hold in flight is shown to its own user and fails", true, operations{
			at(0, history.Hold, asha, history.NotExecuted), func() history.Operation {
				o := seatMap(0, booking.SeatHeld)
				o.User = asha
				return o
			}(), seatMap(second, booking.SeatAvailable),
		}, nil, nil},

		{"Redis loses a hold", true, operations{
			hold(0, asha, one), hold(2*second, ravi, two), confirm(3*second, asha, one, notLocked),
		}, nil, []history.Loss{{From: second, To: second + tick}}},
		{"Redis loses data before a hold", false, operations{
			hold(2*second, asha, one), hold(4*second, ravi, two),
		}, nil, []history.Loss{{From: second, To: second + tick}}},
		{"Redis loses data after a seat was given to another", false, operations{
			hold(0, asha, one), hold(2*second, ravi, two),
		}, nil, []history.Loss{{From: 3 * second, To: 3*second + tick}}},
		{"Redis loses its data and a booking is lost", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), hold(3*second, ravi, two),
		}, hers, []history.Loss{{From: 2 * second, To: 2*second + tick}}},
		{"Redis loses its data and two users buy the seat", false, operations{
			hold(0, asha, one), hold(2*second, ravi, two), confirm(3*second, asha, one, done), confirm(3*second, ravi, two, done),
		}, nil, []history.Loss{{From: second, To: second + tick}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := history.History{Operations: test.operations, Stored: test.stored, Losses: test.losses}
			found := h.Check(10 * time.Second)
			if test.good {
				require.Empty(t, found.Problems)
				return
			}
			require.NotEmpty(t, found.Problems)
			require.Len(t, found.Wrong, 1)
			require.Equal(t, porcupine.Illegal, found.Wrong[0].Result)
		})
	}
}

func TestCheckAcceptsGoodSegmentsAndDeletionsOnly(t *testing.T) {
	t.Parallel()
	type operations = []history.Operation
	const first, latter, both = booking.Legs(1), booking.Legs(2), booking.Legs(3)
	tests := []struct {
		name       string
		wrong      int // registers
		operations operations
	}{
		{"neighbouring segments of a seat belong to two users", 0, operations{
			on(first, []int{1}, hold(0, asha, one)), on(latter, []int{1}, hold(second, ravi, two)),
			on(first, []int{1}, confirm(2*second, asha, one, history.Done)), on(latter, []int{1}, confirm(2*second, ravi, two, history.Done)),
		}},
		{"overlapping segments of a seat belong to two users", 1, operations{
			on(both, []int{1}, hold(0, asha, one)), on(latter, []int{1}, hold(second, ravi, two)),
		}},
		{"of two seats one belongs to another user", 1, operations{
			on(first, []int{1, 2}, hold(0, asha, one)), on(first, []int{2, 3}, hold(second, ravi, two)),
		}},
		{"a refusal of two seats does not name the one that is taken", 0, operations{
			on(first, []int{1, 2}, at(0, history.Hold, asha, history.Locked)), on(both, []int{1}, hold(0, ravi, two)),
		}},
		{"a hold by count with an unknown outcome may have any seat", 0, operations{
			on(first, nil, at(0, history.Hold, asha, history.Unknown)), on(first, []int{2}, at(second, history.Hold, ravi, history.Locked)),
		}},
		{"a seat is shown as free on all legs", 1, operations{
			on(latter, []int{1}, hold(0, asha, one)), on(both, []int{1}, seatMap(second, booking.SeatAvailable)),
		}},
		{"a seat is shown as held on one of the legs", 0, operations{
			on(latter, []int{1}, hold(0, asha, one)), on(both, []int{1}, seatMap(second, booking.SeatHeld)),
		}},
		{"a hold of several seats is shown at one owner and refused by the next", 0, operations{
			on(both, []int{1, 2}, for3Seconds(at(0, history.Hold, asha, history.Locked))),
			on(first, []int{1}, seatMap(second, booking.SeatHeld)),
		}},
		{"a deletion ends holds and bookings", 0, operations{
			on(both, []int{1}, hold(0, asha, one)), on(both, []int{1}, confirm(second, asha, one, history.Done)),
			remove(2*second, true, history.Done), on(both, []int{1}, hold(3*second, ravi, two)),
		}},
		{"a deletion without force loses a booking", 1, operations{
			on(first, []int{1}, hold(0, asha, one)), on(first, []int{1}, confirm(second, asha, one, history.Done)),
			remove(2*second, false, history.Done),
		}},
		{"a hold outlives the deletion", 1, operations{
			on(first, []int{1}, hold(0, asha, one)), remove(second, true, history.Done),
			on(first, []int{1}, confirm(2*second, asha, one, history.Done)),
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := history.History{Operations: test.operations}
			require.Len(t, h.Check(10*time.Second).Wrong, test.wrong)
		})
	}
}

func TestStoreMustHaveWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	booked := operations(hold(0, asha, one), confirm(second, asha, one, history.Done))
	cancelled := slices.Concat(booked, operations(cancel(2*second, asha, one, history.Done)))
	open := operations(hold(0, asha, one), confirm(second, asha, one, history.Unknown))
	other := stored(asha, one, true)
	other.Seats = []int{2}
	twice := []booking.Booking{stored(asha, one, true), stored(ravi, two, true)}
	for name, test := range map[string]struct {
		operations []history.Operation
		stored     []booking.Booking
		liveOnly   bool
		problem    string // "": none
	}{
		"booked":                          {booked, []booking.Booking{stored(asha, one, true)}, false, ""},
		"booking lost":                    {booked, []booking.Booking{}, false, "I5: a booking"},
		"booking lost among live ones":    {booked, []booking.Booking{}, true, "I5: a booking"},
		"booking of another seat":         {booked, []booking.Booking{other}, false, "I8: a booking"},
		"cancelled":                       {cancelled, []booking.Booking{stored(asha, one, false)}, false, ""},
		"cancelled, only live ones known": {cancelled, []booking.Booking{}, true, ""},
		"cancelling lost":                 {cancelled, []booking.Booking{stored(asha, one, true)}, false, "I5: a cancellation"},
		"unknown, stored":                 {open, []booking.Booking{stored(asha, one, true)}, false, ""},
		"unknown, not stored":             {open, []booking.Booking{}, false, ""},
		"no client confirmed it":          {booked[:1], []booking.Booking{stored(asha, one, true)}, false, "no client confirmed it"},
		"sold twice":                      {booked, twice, false, "I1: seat 1"},
	} {
		h := history.History{Operations: test.operations, Stored: test.stored, LiveOnly: test.liveOnly}
		found := strings.Join(h.Check(10*time.Second).Problems, "\n")
		if test.problem == "" {
			require.Empty(t, found, name)
		} else {
			require.Contains(t, found, test.problem, name)
		}
	}
}

func operations(all ...history.Operation) []history.Operation { return all }

func TestLimitOfSeatsIsExact(t *testing.T) {
	t.Parallel()
	pair := on(1, []int{1, 2}, hold(0, asha, one))
	third := on(1, []int{3}, hold(second, asha, two))
	late := on(1, []int{3}, hold(ttl, asha, two))
	h := history.History{MaxSeats: 2, Operations: operations(pair, late)}
	require.Empty(t, h.Check(time.Second).Problems)
	h.Operations = operations(pair, third)
	require.Len(t, h.Check(time.Second).Problems, 1)
	released := on(1, []int{1, 2}, release(500*time.Millisecond, asha, one, history.Done))
	h.Operations = operations(pair, released, third)
	require.Empty(t, h.Check(time.Second).Problems)
}

func TestUnexpectedResponsesAreProblems(t *testing.T) {
	t.Parallel()
	internal := at(0, history.Hold, asha, history.Unknown)
	internal.Code = booking.CodeInternal
	notFound := at(0, history.Hold, asha, history.NotFound)
	for _, o := range operations(internal, notFound, at(0, history.Confirm, asha, "invalid_request")) {
		h := history.History{Operations: operations(o)}
		require.Len(t, h.Check(time.Second).Problems, 1, o.Result)
	}
	h := history.History{Operations: operations(remove(0, true, history.Done), notFound)}
	require.Empty(t, h.Check(time.Second).Problems)
}

func TestRecorderCountsBookings(t *testing.T) {
	t.Parallel()
	r := history.NewRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.AwaitBookings(t.Context(), 2) }()
	r.Add(confirm(0, asha, one, history.Done))
	r.Add(confirm(0, ravi, two, history.NotLocked))
	r.Add(confirm(0, ravi, two, history.Done))
	require.NoError(t, <-done)
	cancel()
	require.ErrorIs(t, r.AwaitBookings(ctx, 3), context.Canceled)
	require.Len(t, r.History().Operations, 3)
}
