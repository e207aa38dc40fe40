package bookingtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// Exercise tests an implementation of booking.Service. open returns one with the given rules
// and closes it at the end of t; parallel tests call open several times. The service may have other
// trains and users: every fact uses stations and users of its own. The exercise takes about
// five seconds, because a hold lives at least one second.
func Exercise(t *testing.T, open func(t *testing.T, rules booking.HoldRules) booking.Service) {
	t.Helper()
	for _, part := range []struct {
		name  string
		ttl   time.Duration
		facts []fact
	}{
		{"Trains", time.Minute, trainFacts},
		{"Lists", time.Minute, listFacts},
		{"Schedules", time.Minute, scheduleFacts},
		{"Holds", time.Minute, holdFacts},
		{"Parts", time.Minute, partFacts},
		{"UserHolds", time.Minute, userHoldFacts},
		{"Bookings", time.Minute, bookingFacts},
		{"Cancelled", time.Minute, cancelledFacts},
		{"Exchanges", time.Minute, exchangeFacts},
		{"Segments", time.Minute, segmentFacts},
		{"Watches", time.Minute, watchFacts},
		{"Races", time.Minute, raceFacts},
		{"Expiry", booking.MinHoldTTL, expiryFacts},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			rules := booking.HoldRules{TTL: part.ttl, MaxSeats: maxSeats}
			service := open(t, rules)
			for _, f := range part.facts {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					f.check(&exercise{T: t, Service: service, ttl: rules.TTL, line: uuid.NewString(), searches: map[searchOf]booking.Found{}})
				})
			}
		})
	}
}

// maxSeats is the most seats that a user may hold on one train during the exercise.
const maxSeats = 10

// fact is a test that every implementation passes.
type fact struct {
	name  string
	check func(*exercise)
}

// exercise is the test of one fact.
type exercise struct {
	*testing.T
	booking.Service
	ttl      time.Duration
	line     string                     // makes the names of stations unique to the fact
	searches map[searchOf]booking.Found // the last of each
}

func (x *exercise) ctx() context.Context { return x.Context() }

// station returns the full name of a station.
func (x *exercise) station(name string) string { return name + " " + x.line }

// draft returns a train that calls at A, B, C and D, without creating it.
func (x *exercise) draft(capacity int) booking.Train {
	train := booking.Train{ID: booking.NewTrainID(), Name: "Exercise", Capacity: capacity, OnSale: true}
	for _, name := range []string{"A", "B", "C", "D"} {
		train.Stops = append(train.Stops, booking.Stop{Station: x.station(name)})
	}
	return train
}

func (x *exercise) create(train booking.Train) booking.Train {
	x.Helper()
	created, err := x.CreateTrain(x.ctx(), train)
	require.NoError(x, err)
	return created
}

// request returns a request to hold seats on the whole run.
func request(train booking.Train, user uuid.UUID, seats ...int) booking.HoldRequest {
	return booking.HoldRequest{ID: booking.NewHoldID(train.ID), Train: train.ID, User: user, Seats: seats}
}

// between returns the request with a segment instead of the whole run.
func (x *exercise) between(r booking.HoldRequest, from, to string) booking.HoldRequest {
	r.From, r.To = x.station(from), x.station(to)
	return r
}

// hold makes a hold, which must succeed.
func (x *exercise) hold(r booking.HoldRequest) booking.Hold {
	x.Helper()
	hold, err := x.Hold(x.ctx(), r)
	require.NoError(x, err)
	return hold
}

// book makes a hold and confirms it; both must succeed.
func (x *exercise) book(r booking.HoldRequest) booking.Booking {
	x.Helper()
	b, err := x.Confirm(x.ctx(), byHold(x.hold(r)))
	require.NoError(x, err)
	return b
}

// byHold refers to a hold by its id.
func byHold(h booking.Hold) booking.HoldRef {
	return booking.HoldRef{User: h.User, Train: h.ID.Train(), Hold: h.ID}
}

// bySeat refers to the hold of a user by a seat.
func bySeat(train booking.Train, user uuid.UUID, seat int) booking.HoldRef {
	return booking.HoldRef{User: user, Train: train.ID, Seat: seat}
}

// seats returns the states of the train's seats on a segment, one letter each: a for
// available, h for held, b for booked.
func (x *exercise) seats(train booking.Train, from, to string) (states string) {
	x.Helper()
	seats, err := x.SeatMap(x.ctx(), train.ID, x.station(from), x.station(to))
	require.NoError(x, err)
	for i, seat := range seats {
		require.Equal(x, i+1, seat.Number)
		states += string(seat.State[0])
	}
	return states
}

// requireTally checks the tally of the whole run.
func (x *exercise) requireTally(train booking.Train, want booking.Tally) {
	x.Helper()
	got, err := x.FindTrain(x.ctx(), train.ID)
	require.NoError(x, err)
	require.Equal(x, want, got.Tally)
	require.Equal(x, got.Train.Capacity, got.Available+got.Held+got.Booked)
}

// requireCode checks the code of an error and that it has a message.
func (x *exercise) requireCode(code booking.Code, err error, what ...any) {
	x.Helper()
	require.Equal(x, code, booking.CodeOf(err), what...)
	require.NotEmpty(x, detailsOf(err).Message, what...)
}

// detailsOf returns the *booking.Error of err, or an empty one.
func detailsOf(err error) *booking.Error {
	if e, ok := errors.AsType[*booking.Error](err); ok {
		return e
	}
	return &booking.Error{}
}

// requireSameTrain compares two trains, except for the times of creation and change.
func (x *exercise) requireSameTrain(want, got booking.Train) {
	x.Helper()
	require.Equal(x, want.ID, got.ID)
	require.True(x, want.Same(&got), "want %v, got %v", want, got)
}
