package activation_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var (
	noon  = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	anna  = uuid.UUID{15: 1}
	rules = booking.HoldRules{TTL: time.Minute, MaxSeats: 10}
	line  = booking.Train{
		ID: booking.DerivedTrainID("line"), Name: "Line", Capacity: 4, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
	}
)

// term is a lease term that lasts until a time.
type term struct{ until time.Time }

func (t *term) Valid(now time.Time) bool { return now.Before(t.until) }
func (*term) Shared() bool               { return true }

// driver delivers events to a machine, keeps its unanswered effects, and checks that each request
// has exactly one response.
type driver struct {
	require.TestingT
	*activation.Machine
	train     booking.Train // as it is stored
	now       time.Time
	term      *term
	asked     []activation.Effect // effects that wait for an event
	responses map[*activation.Request]activation.Response
	reports   map[activation.Occurrence]int
	closed    *activation.Close
}

func newDriver(t require.TestingT, handoff activation.Handoff) *driver {
	return &driver{
		TestingT: t, train: line, now: noon, term: &term{noon.Add(24 * time.Hour)},
		Machine: activation.New(activation.Options{
			Guard: persistence.Guard{Train: line.ID, Owner: uuid.UUID{1}}, Rules: rules, Handoff: handoff,
		}),
		responses: map[*activation.Request]activation.Response{}, reports: map[activation.Occurrence]int{},
	}
}

func (d *driver) deliver(e activation.Event) {
	for _, e := range d.Handle(d.now, e) {
		require.Nil(d, d.closed, "%T after Close", e)
		switch e := e.(type) {
		case activation.Reply:
			e.To.Respond(e.Response)
		case activation.Announce:
			e.To.Respond(activation.Response{Value: e.Train})
		case activation.Report:
			d.reports[e.Occurrence] += e.Count
		case activation.Close:
			require.Empty(d, d.asked, "it closes while effects are executed")
			for _, r := range e.Waiting {
				r.Respond(activation.Response{Retry: true})
			}
			d.closed = &e
		case activation.Publish, activation.SetTimer, activation.Serve:
		default:
			d.asked = append(d.asked, e)
		}
	}
}

// take removes and returns the oldest effect of a type.
func take[E activation.Effect](d *driver) (e E) {
	for i, asked := range d.asked {
		if e, ok := asked.(E); ok {
			d.asked = slices.Delete(d.asked, i, i+1)
			return e
		}
	}
	require.Fail(d, "no effect", "of type %T", e)
	return e
}

// load answers every step of the load.
func (d *driver) load(stored persistence.LoadedTrain, holds ...booking.Hold) {
	d.deliver(activation.Start{})
	take[activation.FindEpoch](d)
	d.deliver(activation.EpochFound{Epoch: 6})
	take[activation.AcquireLease](d)
	d.deliver(activation.LeaseAcquired{Term: d.term})
	require.EqualValues(d, 6, take[activation.Adopt](d).Old)
	d.deliver(activation.Adopted{Epoch: 7})
	take[activation.ReadHolds](d)
	d.deliver(activation.HoldsRead{Holds: holds})
	take[activation.ReadTrain](d)
	stored.Train = d.train
	d.deliver(activation.TrainRead{Train: stored})
}

func serving(t require.TestingT) *driver {
	d := newDriver(t, activation.Handoff{})
	d.load(persistence.LoadedTrain{})
	require.Equal(t, activation.Serving, d.State())
	return d
}

func (d *driver) request(c activation.Command, with ...func(*activation.Request)) *activation.Request {
	r := &activation.Request{Context: context.Background(), Command: c, Arrived: d.now}
	r.Respond = func(response activation.Response) {
		require.NotContains(d, d.responses, r, "a second response")
		d.responses[r] = response
	}
	for _, set := range with {
		set(r)
	}
	d.deliver(activation.Arrived{Request: r})
	return r
}

func (d *driver) code(r *activation.Request) booking.Code {
	require.Contains(d, d.responses, r, "no response")
	require.False(d, d.responses[r].Retry)
	return booking.CodeOf(d.responses[r].Err)
}

func holdOf(seats ...int) activation.Hold {
	return activation.Hold{NewID: true, HoldRequest: booking.HoldRequest{
		ID: booking.NewHoldID(line.ID), User: anna, Train: line.ID, Seats: seats,
	}}
}

// held returns a hold that is stored.
func (d *driver) held(seats ...int) booking.Hold {
	r := d.request(holdOf(seats...))
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	require.NoError(d, d.responses[r].Err)
	return d.responses[r].Value.(booking.Hold)
}

func confirmOf(h booking.Hold) activation.Confirm {
	return activation.Confirm{HoldRef: booking.HoldRef{User: h.User, Train: line.ID, Hold: h.ID}}
}

func met(conflicts int) func(*activation.Request) {
	return func(r *activation.Request) { r.Conflicts = conflicts }
}

func TestRequestThatMeetsASecondConflictIsRefused(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1)
	r := d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d), Err: persistence.ErrConflict})
	require.Equal(t, activation.Response{Retry: true, Conflict: true}, d.responses[r])
	require.NotNil(t, d.closed)

	next := newDriver(t, *d.closed.Handoff)
	next.load(persistence.LoadedTrain{}, h)
	r = next.request(confirmOf(h), met(1))
	next.deliver(activation.Written{Write: take[*activation.WriteSale](next), Err: persistence.ErrConflict})
	require.Equal(t, booking.CodeSeatNotLocked, next.code(r))
	require.Equal(t, persistence.HoldDrop, take[*activation.WriteHold](next).Op)
	require.Equal(t, activation.Serving, next.State(), "another activation would find the same")
	require.Equal(t, 1, d.reports[activation.Conflict])
	require.Equal(t, 1, next.reports[activation.LastingConflict])
}

func TestChangeAndDeletionThatTheStoreContradictsForGoodAreRefused(t *testing.T) {
	t.Parallel()
	d := serving(t)
	smaller := line
	smaller.Capacity = 2
	r := d.request(activation.Change{To: smaller}, met(1))
	d.deliver(activation.Written{Write: take[*activation.WriteChange](d), Err: persistence.ErrConflict})
	require.Equal(t, booking.CodeCapacityInUse, d.code(r))
	r = d.request(activation.Delete{}, met(1))
	d.deliver(activation.Written{Write: take[*activation.WriteDeletion](d), Err: persistence.ErrConflict})
	require.Equal(t, booking.CodeHasBookings, d.code(r))
	require.Equal(t, activation.Serving, d.State())
}

func TestWriteThatItsStoreHadNoTimeForWasNotExecuted(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1)
	for _, err := range []error{context.DeadlineExceeded, persistence.ErrLocked} {
		r := d.request(confirmOf(h))
		d.deliver(activation.Written{Write: take[*activation.WriteSale](d), Err: err})
		failed, ok := errors.AsType[*booking.Error](d.responses[r].Err)
		require.True(t, ok)
		require.Equal(t, booking.CodeUnavailable, failed.Code)
		require.Equal(t, booking.OutcomeNotExecuted, failed.Outcome)
	}
	require.Equal(t, activation.Serving, d.State())
}

func TestSeatsThatDifferFromTheBookingsAreTakenAndReported(t *testing.T) {
	t.Parallel()
	d := newDriver(t, activation.Handoff{})
	d.load(persistence.LoadedTrain{Seats: map[int]booking.Legs{3: line.Run()}})
	require.Equal(t, 1, d.reports[activation.Inconsistent])
	require.Equal(t, booking.CodeSeatBooked, d.code(d.request(holdOf(3))))
	d.held(2)
}

func TestRequestsWaitForTheLoad(t *testing.T) {
	t.Parallel()
	d := newDriver(t, activation.Handoff{})
	d.deliver(activation.Start{})
	waited := d.request(activation.Cancel{})
	take[activation.FindEpoch](d)
	d.deliver(activation.EpochFound{Err: errors.New("connection refused")})
	require.Equal(t, booking.CodeUnavailable, d.code(waited))
	require.NotNil(t, d.closed)
	require.Nil(t, d.closed.Handoff, "what the last activation left stays")
	require.False(t, d.closed.Reactivate)
}

func TestStoppedLoadTakesNoFurtherStep(t *testing.T) {
	t.Parallel()
	d := newDriver(t, activation.Handoff{})
	d.deliver(activation.Start{})
	waited := d.request(activation.Cancel{})
	d.deliver(activation.Stop{})
	take[activation.FindEpoch](d)
	d.deliver(activation.EpochFound{Epoch: 1})
	require.NotNil(t, d.closed)
	require.True(t, d.responses[waited].Retry)
}

func TestHoldsThatTheirStoreLostAreStoredBeforeTheTrainIsServed(t *testing.T) {
	t.Parallel()
	h := booking.Hold{
		ID: booking.NewHoldID(line.ID), User: anna, Legs: line.Run(), Seats: []int{1}, ExpiresAt: noon.Add(time.Minute),
	}
	for epoch, owned := range map[int64]bool{6: true, 5: false} {
		d := newDriver(t, activation.Handoff{Epoch: epoch, Holds: []booking.Hold{h}})
		d.load(persistence.LoadedTrain{})
		r := d.request(confirmOf(h))
		if !owned { // another process owned the train in between
			d.deliver(activation.HistoryRead{Of: take[*activation.ReadHistory](d)})
			require.Equal(t, booking.CodeSeatNotLocked, d.code(r))
			continue
		}
		require.NotContains(t, d.responses, r)
		again := take[*activation.WriteHold](d)
		stored := h
		stored.Incarnation = line.Incarnation()
		require.Equal(t, stored, again.Hold)
		require.EqualValues(t, 7, again.Guard.Epoch)
		d.deliver(activation.Written{Write: again})
		take[*activation.WriteSale](d)
		require.Equal(t, 1, d.reports[activation.HoldStoredAgain])
	}
}

func TestTrainIsNotServedIfALostHoldCannotBeStoredAgain(t *testing.T) {
	t.Parallel()
	h := booking.Hold{
		ID: booking.NewHoldID(line.ID), User: anna, Legs: line.Run(), Seats: []int{1}, ExpiresAt: noon.Add(time.Minute),
	}
	d := newDriver(t, activation.Handoff{Epoch: 6, Holds: []booking.Hold{h}})
	d.load(persistence.LoadedTrain{})
	r := d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: errors.New("connection refused")})
	require.Equal(t, booking.CodeUnavailable, d.code(r))
	require.Equal(t, 1, d.reports[activation.NotLoaded])
	require.Nil(t, d.closed.Handoff, "what the last activation left stays")
}

func TestActivationThatCannotStoreItsHoldsAgainHandsThemOff(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h, confirming := d.held(1), d.held(2)
	r := d.request(confirmOf(confirming))
	d.request(holdOf(3)) // its write is in flight
	pending := take[*activation.WriteHold](d)
	d.deliver(activation.Recovered{})
	require.Equal(t, 2, d.reports[activation.HoldStoredAgain], "that of seat 3 is being written")
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: errors.New("connection refused")})
	require.Equal(t, activation.Halting, d.State())
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	d.deliver(activation.Written{Write: pending, Err: errors.New("connection refused")})
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d), Err: errors.New("connection refused")})
	require.Equal(t, booking.CodeUnavailable, d.code(r))
	require.ElementsMatch(t, []booking.Hold{h, confirming}, d.closed.Handoff.Holds)
	require.True(t, d.closed.Reactivate)
}

func TestChangeWaitsForTheWritesInFlightAndTheOthersForIt(t *testing.T) {
	t.Parallel()
	d := serving(t)
	d.request(holdOf(1))
	change := d.request(activation.Change{To: booking.Train{
		ID: line.ID, Name: "Renamed", Capacity: 4, OnSale: true, Stops: line.Stops,
	}})
	waits := d.request(holdOf(2))
	require.Len(t, d.asked, 1)
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	d.deliver(activation.Written{Write: take[*activation.WriteChange](d)})
	require.Equal(t, "Renamed", d.responses[change].Value.(booking.Train).Name)
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	require.Empty(t, d.code(waits))
}

func TestChangeThatWaitsWhenTheActivationHaltsIsSentAgain(t *testing.T) {
	t.Parallel()
	d := serving(t)
	d.request(holdOf(1))
	change := d.request(activation.Delete{Force: true})
	d.deliver(activation.LeaseLost{})
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d), Err: persistence.ErrFenced})
	require.Equal(t, activation.Response{Retry: true}, d.responses[change])
}

func TestHoldOfAUsedIDIsRefused(t *testing.T) {
	t.Parallel()
	d := serving(t)
	hold := holdOf(1)
	history := booking.History{Cancelled: []booking.Booking{{
		ID: booking.BookingIDOf(anna, hold.ID), Seats: []int{1}, Legs: line.Run(), CancelledAt: noon.Add(-48 * time.Hour),
	}}}
	for name, with := range map[string]func(*activation.Request){
		"an id that the client has chosen": func(r *activation.Request) {
			hold := hold
			hold.NewID = false
			r.Command = hold
		},
		"an attempt before may have been executed": func(r *activation.Request) { r.Lost = true },
	} {
		r := d.request(hold, with)
		read := take[*activation.ReadHistory](d)
		require.Equal(t, anna, read.User)
		d.deliver(activation.HistoryRead{Of: read, History: history})
		require.Equal(t, booking.CodeSeatBooked, d.code(r), name)
	}
	d.request(hold)
	take[*activation.WriteHold](d) // nobody can have used a new id before
}

// Found by test/simulate, seed 50306: the hold could not be confirmed.
func TestHistoryIsReadAgainIfABookingWasCancelledSince(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1)
	confirm := d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteSale](d)})
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	b := d.responses[confirm].Value.(booking.Booking)
	again := holdOf(1)
	again.ID, again.NewID = h.ID, false
	r := d.request(again)
	stale := take[*activation.ReadHistory](d)
	d.request(activation.Cancel{User: anna, ID: b.ID})
	d.deliver(activation.Written{Write: take[*activation.WriteCancellation](d)})
	d.deliver(activation.HistoryRead{Of: stale})
	b.CancelledAt = noon
	d.deliver(activation.HistoryRead{Of: take[*activation.ReadHistory](d), History: booking.History{Cancelled: []booking.Booking{b}}})
	require.Equal(t, booking.CodeSeatBooked, d.code(r))
}

func TestConfirmationOnAWithdrawnTrainStoresTheEndOfTheHold(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1)
	withdrawn := line
	withdrawn.OnSale = false
	d.request(activation.Change{To: withdrawn})
	d.deliver(activation.Written{Write: take[*activation.WriteChange](d)})
	r := d.request(confirmOf(h))
	release := take[*activation.WriteHold](d)
	require.True(t, release.Hold.Released)
	require.NotContains(t, d.responses, r)
	d.deliver(activation.Written{Write: release, Err: errors.New("connection refused")})
	require.Equal(t, booking.CodeUnavailable, d.code(r), "the hold is there")
	r = d.request(confirmOf(h))
	d.deliver(activation.Written{Write: take[*activation.WriteHold](d)})
	require.Equal(t, booking.CodeNotOnSale, d.code(r))
	require.Empty(t, d.asked)
}

func TestNothingIsDecidedForACallerThatHasGone(t *testing.T) {
	t.Parallel()
	d := serving(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := d.request(holdOf(1), func(r *activation.Request) { r.Context = ctx })
	require.Equal(t, booking.CodeTimeout, d.code(r))
	require.Empty(t, d.asked)
}

func TestIdleActivationClosesUnlessItHasHolds(t *testing.T) {
	t.Parallel()
	d := serving(t)
	h := d.held(1)
	d.now = noon.Add(activation.IdleTimeout)
	require.True(t, h.ExpiresAt.Before(d.now))
	d.deliver(activation.Tick{At: h.ExpiresAt.Add(-1)})
	require.Equal(t, activation.Serving, d.State())
	d.deliver(activation.Tick{At: d.now})
	require.NotNil(t, d.closed)
	require.Equal(t, 1, d.reports[activation.Expired])
}

// TestEveryRequestHasOneResponse delivers random requests, results and failures in any order. The
// driver checks that nothing is responded twice, and that it closes only when nothing is in flight.
func TestEveryRequestHasOneResponse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDriver(t, activation.Handoff{})
		d.deliver(activation.Start{})
		var sent []*activation.Request
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if d.closed != nil {
				break
			}
			d.now = d.now.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(t, "wait")) * time.Millisecond)
			switch what := rapid.IntRange(0, 99).Draw(t, "what"); {
			case what < 40:
				sent = append(sent, d.request(command(t, sent, d), met(rapid.IntRange(0, 1).Draw(t, "conflicts"))))
			case what < 90 && len(d.asked) > 0:
				d.answer(t)
			case what == 97:
				d.deliver(activation.Recovered{})
			case what == 98:
				d.term.until = d.now
				d.deliver(activation.LeaseLost{})
			case what == 99:
				d.deliver(activation.Stop{})
			default:
				d.deliver(activation.Tick{At: d.now})
			}
		}
		d.deliver(activation.Stop{})
		for len(d.asked) > 0 {
			d.answer(t)
		}
		require.NotNil(t, d.closed)
		require.Equal(t, activation.Closed, d.State())
		for _, r := range sent {
			require.Contains(t, d.responses, r, "no response to %T", r.Command)
		}
	})
}

// command draws a command, which may concern a hold that was made.
func command(t *rapid.T, sent []*activation.Request, d *driver) activation.Command {
	ref := booking.HoldRef{User: anna, Train: line.ID, Seat: rapid.IntRange(1, 5).Draw(t, "seat")}
	for _, r := range sent {
		if h, ok := d.responses[r].Value.(booking.Hold); ok && rapid.Bool().Draw(t, "by id") {
			ref.Hold, ref.Seat = h.ID, 0
		}
	}
	changed := line
	changed.Capacity = rapid.IntRange(2, 5).Draw(t, "capacity")
	hold := holdOf(rapid.IntRange(1, 4).Draw(t, "seat"))
	confirm, release := activation.Confirm{HoldRef: ref}, activation.Release{HoldRef: ref}
	return rapid.SampledFrom([]activation.Command{
		hold,
		holdOf(1, 2),
		confirm,
		confirm,
		release,
		release,
		activation.Cancel{User: anna, ID: booking.BookingIDOf(anna, ref.Hold)},
		activation.CheckCancel{User: anna, ID: booking.BookingIDOf(anna, ref.Hold)},
		activation.Exchange{HoldRef: ref, OldTrain: line.ID, Old: booking.BookingIDOf(anna, ref.Hold)},
		activation.Change{To: changed},
		activation.Delete{Force: rapid.Bool().Draw(t, "force")},
		follow(0, rapid.SampledFrom([]booking.Schedule{ofLine(), {}}).Draw(t, "schedule")),
	}).Draw(t, "command")
}

// answer answers one effect, in any order, sometimes with an error.
func (d *driver) answer(t *rapid.T) {
	i := rapid.IntRange(0, len(d.asked)-1).Draw(t, "effect")
	e := d.asked[i]
	d.asked = slices.Delete(d.asked, i, i+1)
	err := rapid.SampledFrom([]error{
		nil, nil, nil, nil, nil, nil, nil, nil, errors.New("connection refused"), persistence.ErrConflict,
		persistence.ErrFenced, persistence.ErrUnknown, persistence.ErrNotFound, persistence.ErrNotLive, persistence.ErrStale,
	}).Draw(t, "error")
	switch e := e.(type) {
	case activation.FindEpoch:
		d.deliver(activation.EpochFound{Epoch: 1, Err: err})
	case activation.AcquireLease:
		if err != nil {
			d.deliver(activation.LeaseAcquired{Err: err})
		} else {
			d.deliver(activation.LeaseAcquired{Term: d.term})
		}
	case activation.Adopt:
		d.deliver(activation.Adopted{Epoch: 2, Err: err})
	case activation.ReadHolds:
		d.deliver(activation.HoldsRead{Err: err})
	case activation.ReadTrain:
		d.deliver(activation.TrainRead{Train: persistence.LoadedTrain{Train: line}, Err: err})
	case *activation.ReadHistory:
		d.deliver(activation.HistoryRead{Of: e, Err: err})
	case activation.Write:
		d.deliver(activation.Written{Write: e, Err: err})
	default:
		require.Fail(t, "an effect without an answer", "%T", e)
	}
}
