package booking_test

import (
	"encoding/binary"
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
)

// holdID returns the next of a fixed sequence of ids, so that a failing history is
// reproduced exactly.
func (m *machine) holdID() (id booking.HoldID) {
	copy(id[:], m.train.ID[:14])
	binary.BigEndian.PutUint64(id[22:], uint64(len(m.requests)+1))
	return id
}

func (m *machine) hold(t *rapid.T) {
	m.advance(t)
	request := booking.HoldRequest{ID: m.holdID(), Train: m.train.ID, User: pick(t, m.users, "user")}
	request.From, request.To = m.drawSegment(t)
	if rapid.IntRange(0, 3).Draw(t, "by count") == 0 {
		request.Count = rapid.IntRange(0, m.train.Capacity+1).Draw(t, "count")
	} else {
		request.Seats = m.drawSeats(t)
		request.BestAlternative = rapid.IntRange(0, 3).Draw(t, "best alternative") == 0
	}
	request.Unlimited = rapid.IntRange(0, 3).Draw(t, "unlimited") == 0
	m.requests = append(m.requests, request)
	m.requestHold(t, request)
}

// drawSegment mostly draws a valid segment.
func (m *machine) drawSegment(t *rapid.T) (from, to string) {
	if rapid.IntRange(0, 15).Draw(t, "any stations") == 0 {
		return pick(t, m.stations(), "from"), pick(t, m.stations(), "to")
	}
	last := len(m.train.Stops) - 1
	i := rapid.IntRange(0, last-1).Draw(t, "from")
	j := rapid.IntRange(i+1, last).Draw(t, "to")
	return m.train.Stops[i].Station, m.train.Stops[j].Station
}

// drawSeats mostly draws distinct seats of the train.
func (m *machine) drawSeats(t *rapid.T) []int {
	if rapid.IntRange(0, 15).Draw(t, "any seats") == 0 {
		return rapid.SliceOfN(rapid.IntRange(0, m.train.Capacity+1), 1, 3).Draw(t, "seats")
	}
	return rapid.SliceOfNDistinct(
		rapid.IntRange(1, m.train.Capacity), 1, min(3, m.train.Capacity), rapid.ID[int]).Draw(t, "seats")
}

// holdAgain repeats a request: under the same id while its hold or booking is live, as after
// a lost response, otherwise under a new id.
func (m *machine) holdAgain(t *rapid.T) {
	if len(m.requests) == 0 {
		return
	}
	m.advance(t)
	request := pick(t, m.requests, "request")
	live := slices.ContainsFunc(m.model.Tickets(), func(k *bookingtest.Ticket) bool {
		return k.Hold.ID == request.ID && k.Live(m.now)
	})
	if !live || rapid.Bool().Draw(t, "new id") {
		request.ID = m.holdID()
		request.Seats = slices.Clone(request.Seats)
		slices.Reverse(request.Seats)
		m.requests = append(m.requests, request)
	}
	m.requestHold(t, request)
}

func (m *machine) requestHold(t *rapid.T, request booking.HoldRequest) {
	want, wantMade, wantErr := m.model.Hold(request, m.now)
	hold, made, err := m.seats.Hold(request, m.rules, m.history(t, request.User), m.now)
	requireSameError(t, wantErr, err)
	require.Equal(t, wantMade, made)
	require.Equal(t, want, hold)
}

// drawRef draws a reference to a hold, sometimes a wrong one.
func (m *machine) drawRef(t *rapid.T) booking.HoldRef {
	ref := booking.HoldRef{Train: m.train.ID, User: pick(t, m.users, "user")}
	tickets := m.model.Tickets()
	if len(tickets) == 0 || rapid.IntRange(0, 9).Draw(t, "unrelated") == 0 {
		ref.Seat = rapid.IntRange(0, m.train.Capacity+1).Draw(t, "seat")
		if rapid.Bool().Draw(t, "unknown hold") {
			ref.Hold = m.holdID()
		}
		return ref
	}
	live := slices.DeleteFunc(slices.Clone(tickets), func(k *bookingtest.Ticket) bool { return !k.Live(m.now) })
	if len(live) > 0 && rapid.IntRange(0, 3).Draw(t, "any ticket") > 0 {
		tickets = live
	}
	k := pick(t, tickets, "ticket")
	if rapid.IntRange(0, 9).Draw(t, "right user") > 0 {
		ref.User = k.Hold.User
	}
	by := rapid.SampledFrom([]string{"seat", "hold", "both", "hold and any seat"}).Draw(t, "by")
	if by != "hold" {
		ref.Seat = pick(t, k.Hold.Seats, "seat")
	}
	if by != "seat" {
		ref.Hold = k.Hold.ID
	}
	if by == "hold" && rapid.Bool().Draw(t, "some seats") {
		ref.Seats = m.drawPart(t, k)
	}
	if by == "hold and any seat" {
		ref.Seat = rapid.IntRange(1, m.train.Capacity).Draw(t, "any seat")
	}
	return ref
}

// drawPart draws some seats of a ticket, or of what it had before, and sometimes others.
func (m *machine) drawPart(t *rapid.T, k *bookingtest.Ticket) []int {
	seats := k.Hold.Seats
	if rapid.IntRange(0, 7).Draw(t, "any seats") == 0 {
		seats = nil
		for n := range m.train.Capacity {
			seats = append(seats, n+1)
		}
	}
	return slices.Sorted(slices.Values(shuffled(t, seats)[:rapid.IntRange(1, len(seats)).Draw(t, "seats")]))
}

// history is what the stores have of a user's past.
func (m *machine) history(t *rapid.T, user uuid.UUID) booking.History {
	return m.model.History(user, m.now, coin(t, "stored"))
}

// historyFor is the history if the seat map needs it.
func (m *machine) historyFor(t *rapid.T, ref booking.HoldRef) (h booking.History) {
	if m.seats.NeedsHistory(ref) {
		h = m.history(t, ref.User)
	}
	return h
}

func (m *machine) confirm(t *rapid.T) {
	m.advance(t)
	m.confirmAs(t, m.drawRef(t))
}

func (m *machine) confirmAs(t *rapid.T, ref booking.HoldRef) {
	want, wantHold, wantMade, wantErr := m.model.Confirm(ref, m.now)
	b, hold, made, err := m.seats.Confirm(ref, m.historyFor(t, ref), m.now)
	if booking.CodeOf(err) == booking.CodeSeatNotLocked { // the history shows whether it has expired
		b, hold, made, err = m.seats.Confirm(ref, m.history(t, ref.User), m.now)
	}
	requireSameError(t, wantErr, err)
	require.Equal(t, wantMade, made)
	require.Equal(t, wantHold, hold)
	require.Equal(t, want, b)
}

func (m *machine) release(t *rapid.T) {
	m.advance(t)
	ref := m.drawRef(t)
	want, wantErr := m.model.Release(ref, m.now)
	stored, err := m.seats.Release(ref, m.historyFor(t, ref), m.now)
	if booking.CodeOf(err) == booking.CodeSeatNotLocked {
		stored, err = m.seats.Release(ref, m.history(t, ref.User), m.now)
	}
	requireSameError(t, wantErr, err)
	require.Equal(t, want, stored)
}

func (m *machine) extend(t *rapid.T) {
	m.advance(t)
	ref := m.drawRef(t)
	ref.Seats = nil
	want, wantMade, wantErr := m.model.Extend(ref, m.now)
	hold, made, err := m.seats.Extend(ref, m.rules, m.historyFor(t, ref), m.now)
	if booking.CodeOf(err) == booking.CodeSeatNotLocked {
		hold, made, err = m.seats.Extend(ref, m.rules, m.history(t, ref.User), m.now)
	}
	requireSameError(t, wantErr, err)
	require.Equal(t, wantMade, made)
	require.Equal(t, want, hold)
}

// settle reports results of writes, in any order.
func (m *machine) settle(t *rapid.T) {
	m.advance(t)
	for range 2 {
		transit := m.inState(bookingtest.Pending, bookingtest.Confirming, bookingtest.Releasing, bookingtest.Extending)
		if len(transit) == 0 {
			return
		}
		k := pick(t, transit, "ticket")
		written := rapid.IntRange(0, 3).Draw(t, "written") > 0
		m.settleOne(k, written)
	}
}

// settleOne reports the result of the write of k.
func (m *machine) settleOne(k *bookingtest.Ticket, written bool) {
	id, extending := k.Hold.ID, k.State == bookingtest.Extending
	switch {
	case extending && !written:
		m.seats.ExtendFailed(id)
	case extending: // below
	case k.State == bookingtest.Pending && written:
		m.seats.HoldWritten(id)
	case k.State == bookingtest.Pending:
		m.seats.HoldFailed(id)
	case k.State == bookingtest.Confirming && written:
		m.seats.Booked(id, k.Sold)
	case k.State == bookingtest.Confirming:
		m.seats.ConfirmFailed(id)
	case written:
		m.seats.Released(id)
	default:
		m.seats.ReleaseFailed(id)
	}
	m.model.Settle(k, written)
	if extending && written {
		m.seats.Extended(k.Hold)
	}
}

// sell holds and confirms in one step, all or some seats, so that histories have enough bookings.
func (m *machine) sell(t *rapid.T) {
	before := len(m.model.Tickets())
	m.hold(t)
	if len(m.model.Tickets()) == before {
		return
	}
	k := m.model.Tickets()[before]
	m.settleOne(k, true)
	ref := booking.HoldRef{User: k.Hold.User, Hold: k.Hold.ID}
	if rapid.Bool().Draw(t, "some seats") {
		ref.Seats = m.drawPart(t, k)
	}
	m.confirmAs(t, ref)
	if k.State == bookingtest.Confirming {
		m.settleOne(k, true)
	}
}

// cancel cancels a booking or some of its seats, a cancelled booking, or an unknown one.
func (m *machine) cancel(t *rapid.T) {
	m.advance(t)
	id, seats := uuid.UUID{}, []int(nil)
	if tickets := m.inState(bookingtest.Booked, bookingtest.Cancelled); len(tickets) > 0 {
		k := pick(t, tickets, "ticket")
		id = k.Sold.ID
		if rapid.Bool().Draw(t, "some seats") {
			seats = shuffled(t, k.Sold.Seats)[:rapid.IntRange(1, len(k.Sold.Seats)).Draw(t, "seats")]
			slices.Sort(seats)
		}
	}
	require.Equal(t, m.seats.HasBooking(id) && len(seats) == len(m.soldSeats(id)), m.seats.IsWhole(id, seats))
	m.seats.Cancelled(id, seats...)
	m.model.Cancel(id, m.now, seats...)
}

// soldSeats returns the seats of a live booking.
func (m *machine) soldSeats(id uuid.UUID) (seats []int) {
	for _, k := range m.inState(bookingtest.Booked) {
		if k.Sold.ID == id {
			seats = k.Sold.Seats
		}
	}
	return seats
}
