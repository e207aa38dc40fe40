package history_test

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/chaos/history"
)

const (
	second = time.Second
	tick   = 10 * time.Millisecond // an operation takes
	ttl    = 5 * time.Second
)

var (
	train      = booking.DerivedTrainID("express")
	asha, ravi = uuid.NewSHA1(uuid.Nil, []byte("asha")), uuid.NewSHA1(uuid.Nil, []byte("ravi"))
	one, two   = booking.DerivedHoldID(train, "one"), booking.DerivedHoldID(train, "two")
)

// at makes an operation that is called at a time and returns a tick later.
func at(call time.Duration, kind history.Kind, user uuid.UUID, result history.Result) history.Operation {
	return history.Operation{Train: train, Seat: 1, User: user, Kind: kind, Result: result, Call: call, Return: call + tick}
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

// for3Seconds makes an operation take longer.
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

func look(call time.Duration, state booking.SeatState) history.Operation {
	o := at(call, history.Look, uuid.Nil, history.Done)
	o.State = state
	return o
}

func stored(call time.Duration, id uuid.UUID) history.Operation {
	o := at(call, history.Stored, uuid.Nil, history.Done)
	o.Booking = id
	return o
}

func TestCheckerTellsGoodHistoriesFromBad(t *testing.T) {
	t.Parallel()
	type operations = []history.Operation
	const (
		done, locked, booked = history.Done, history.Locked, history.Booked
		notLocked, unknown   = history.NotLocked, history.Unknown
	)
	hers, his := booking.BookingIDOf(asha, one), booking.BookingIDOf(ravi, two)
	live := map[uuid.UUID]bool{hers: true}
	tests := []struct {
		name       string
		good       bool
		operations operations
		stored     map[uuid.UUID]bool
		losses     []history.Loss
	}{
		{"a seat is held, confirmed, cancelled and held by another", true, operations{
			hold(0, asha, one), at(1*second, history.Hold, ravi, locked), look(1*second, booking.SeatHeld),
			confirm(2*second, asha, one, done), confirm(2*second, asha, one, done), look(3*second, booking.SeatBooked),
			at(3*second, history.Hold, ravi, booked), cancel(4*second, asha, one, done), look(5*second, booking.SeatAvailable),
			hold(6*second, ravi, two), stored(9*second, uuid.Nil),
		}, map[uuid.UUID]bool{hers: false}, nil},
		{"a hold is released and taken by another", true, operations{
			hold(0, asha, one), release(second, asha, one, done), hold(2*second, ravi, two), confirm(3*second, asha, one, notLocked),
		}, nil, nil},
		{"a hold ends by itself", true, operations{hold(0, asha, one), hold(5*second, ravi, two), confirm(6*second, asha, one, notLocked)}, nil, nil},
		{"a seat is sold twice", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), hold(2*second, ravi, two), confirm(3*second, ravi, two, done),
		}, nil, nil},
		{"a hold is given on a booked seat", false, operations{hold(0, asha, one), confirm(second, asha, one, done), hold(7*second, ravi, two)}, nil, nil},
		{"two hold a seat", false, operations{hold(0, asha, one), hold(2*second, ravi, two)}, nil, nil},
		{"a hold ends too early for another", false, operations{hold(0, asha, one), hold(4900*time.Millisecond, ravi, two)}, nil, nil},
		{"a hold ends too early for its user", false, operations{hold(0, asha, one), confirm(4*second, asha, one, notLocked)}, nil, nil},
		{"a hold is seen to end too early", false, operations{hold(0, asha, one), look(4*second, booking.SeatAvailable)}, nil, nil},
		{"a hold is confirmed after its end", false, operations{hold(0, asha, one), confirm(6*second, asha, one, done)}, nil, nil},
		{"a seat stays locked long after its hold", false, operations{hold(0, asha, one), at(7*second, history.Hold, ravi, locked)}, nil, nil},
		{"a hold is confirmed by another", false, operations{hold(0, asha, one), confirm(second, ravi, one, done)}, nil, nil},
		{"a hold is released by another", false, operations{
			hold(0, asha, one), release(second, ravi, one, done), look(2*second, booking.SeatAvailable),
		}, nil, nil},
		{"a free seat is refused", false, operations{at(0, history.Hold, ravi, locked)}, nil, nil},
		{"a booking is lost", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), look(2*second, booking.SeatAvailable),
		}, live, nil},
		{"a booking is gone for the next", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), hold(6*second, ravi, two),
		}, live, nil},
		{"a booking is not found by its user", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), cancel(2*second, asha, one, history.NotFound),
		}, live, nil},
		{"a booking is missing from the store in the end", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), stored(9*second, uuid.Nil),
		}, live, nil},
		{"a booking is in the store that nobody made", false, operations{hold(0, asha, one), stored(9*second, his)}, nil, nil},
		{"a booking has the id of another", false, operations{hold(0, asha, one), func() history.Operation {
			o := confirm(second, asha, one, done)
			o.Booking = his
			return o
		}()}, nil, nil},

		{"a confirm without an answer was stored", true, operations{
			hold(0, asha, one), confirm(second, asha, one, unknown), at(4*second, history.Hold, ravi, locked),
			at(7*second, history.Hold, ravi, booked), stored(9*second, hers),
		}, live, nil},
		{"a confirm without an answer was not stored", true, operations{hold(0, asha, one), confirm(second, asha, one, unknown), hold(6*second, ravi, two)}, nil, nil},
		{"a confirm without an answer was stored and the seat given away", false, operations{
			hold(0, asha, one), confirm(second, asha, one, unknown), hold(6*second, ravi, two), stored(9*second, hers),
		}, live, nil},
		{"a confirm that came in time is refused by the next owner, and locked the seat until then", true, operations{
			hold(0, asha, one), for3Seconds(confirm(4900*time.Millisecond, asha, one, notLocked)), at(7*second, history.Hold, ravi, locked),
		}, nil, nil},
		{"a confirm by another locks a seat past the end of the hold", false, operations{
			hold(0, asha, one), for3Seconds(confirm(4900*time.Millisecond, ravi, one, notLocked)), at(7*second, history.Hold, ravi, locked),
		}, nil, nil},
		{"a confirm that was not executed was", false, operations{
			hold(0, asha, one), confirm(second, asha, one, history.NotExecuted), look(2*second, booking.SeatBooked),
		}, live, nil},
		{"a hold without an answer is there", true, operations{at(0, history.Hold, asha, unknown), at(2*second, history.Hold, ravi, locked)}, nil, nil},
		{"a hold without an answer is not there", true, operations{at(0, history.Hold, asha, unknown), hold(2*second, ravi, two)}, nil, nil},
		{"a hold without an answer is found by the next", true, operations{
			at(0, history.Hold, asha, unknown), hold(2*second, asha, one), confirm(3*second, asha, one, done),
		}, nil, nil},
		{"a hold that was found goes to another", false, operations{
			at(0, history.Hold, asha, unknown), hold(2*second, asha, one), hold(3*second, ravi, two),
		}, nil, nil},
		{"a hold ends for an operation after which there is one from before", false, operations{
			hold(0, asha, one), func() history.Operation { // it comes first, as the other knows of it
				o := hold(second, ravi, two)
				o.Return = 6 * second
				return o
			}(), at(2*second, history.Hold, asha, locked),
		}, nil, nil},
		{"a hold in transit locks a seat and fails", true, operations{
			at(0, history.Hold, asha, history.NotExecuted), at(0, history.Hold, ravi, locked), look(second, booking.SeatAvailable),
		}, nil, nil},
		{"a hold in transit is seen by its own user and fails", true, operations{
			at(0, history.Hold, asha, history.NotExecuted), func() history.Operation {
				o := look(0, booking.SeatHeld)
				o.User = asha
				return o
			}(), look(second, booking.SeatAvailable),
		}, nil, nil},

		{"Redis loses a hold", true, operations{
			hold(0, asha, one), hold(2*second, ravi, two), confirm(3*second, asha, one, notLocked),
		}, nil, []history.Loss{{From: second, To: second + tick}}},
		{"Redis loses data before a hold", false, operations{
			hold(2*second, asha, one), hold(4*second, ravi, two),
		}, nil, []history.Loss{{From: second, To: second + tick}}},
		{"Redis loses data after a hold was given away", false, operations{
			hold(0, asha, one), hold(2*second, ravi, two),
		}, nil, []history.Loss{{From: 3 * second, To: 3*second + tick}}},
		{"Redis loses its data and a booking is gone", false, operations{
			hold(0, asha, one), confirm(second, asha, one, done), hold(3*second, ravi, two),
		}, live, []history.Loss{{From: 2 * second, To: 2*second + tick}}},
		{"Redis loses its data and both buy the seat", false, operations{
			hold(0, asha, one), hold(2*second, ravi, two), confirm(3*second, asha, one, done), confirm(3*second, ravi, two, done),
		}, nil, []history.Loss{{From: second, To: second + tick}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := history.History{Operations: test.operations, Stored: test.stored, Losses: test.losses}
			verdict := h.Check(10 * time.Second)
			if test.good {
				require.Empty(t, verdict.Wrong)
				return
			}
			require.Len(t, verdict.Wrong, 1)
			require.Equal(t, porcupine.Illegal, verdict.Wrong[0].Result)
		})
	}
}

func TestAcknowledgedBookingsThatTheStoreLacksAreMissing(t *testing.T) {
	t.Parallel()
	hers, his := booking.BookingIDOf(asha, one), booking.BookingIDOf(ravi, two)
	booked, cancelled := confirm(second, asha, one, history.Done), cancel(2*second, ravi, two, history.Done)
	open := confirm(second, ravi, one, history.Unknown)
	h := history.History{Operations: []history.Operation{booked, cancelled, open}}

	h.Stored = map[uuid.UUID]bool{hers: true, his: false}
	require.Empty(t, h.Missing())
	h.Stored = map[uuid.UUID]bool{hers: true, his: true}
	require.Equal(t, []history.Operation{cancelled}, h.Missing())
	h.Stored = map[uuid.UUID]bool{his: false}
	require.Equal(t, []history.Operation{booked}, h.Missing())
}
