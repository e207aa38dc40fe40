package bookingtest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Model is the seats of one train and everything that became of them. Its methods are
// those of booking.SeatMap, but for one thing: every question says what time it is, so
// nothing has to be expired. Not safe for concurrent use.
type Model struct {
	train   booking.Train
	rules   booking.HoldRules
	tickets []*Ticket // in the order of the requests
}

// Ticket is the life of one hold, from the request to whatever it became.
type Ticket struct {
	Hold  booking.Hold    // as the user was told
	Sold  booking.Booking // as it was decided; zero while nobody confirmed
	State TicketState

	from, to int // positions of stops
}

// TicketState is where a ticket stands.
type TicketState string

// The states of a ticket. Held is over by itself at its deadline.
const (
	Pending    TicketState = "pending"    // the store has not said that it has the hold
	Held       TicketState = "held"       //
	Confirming TicketState = "confirming" // the store has not said that it has the booking
	Releasing  TicketState = "releasing"  // the store has not said that it has the release
	Booked     TicketState = "booked"     //
	Released   TicketState = "released"   //
	Cancelled  TicketState = "cancelled"  // at Sold.CancelledAt
)

// NewModel returns the model of a train with nothing sold.
func NewModel(train booking.Train, rules booking.HoldRules) *Model {
	return &Model{train: train, rules: rules}
}

// Tickets returns every ticket that was written or may yet be, oldest first.
func (m *Model) Tickets() []*Ticket { return m.tickets }

// Live reports whether the ticket keeps its seats at now: until the deadline, which is
// over itself, and past it while the store owes an answer.
func (k *Ticket) Live(now time.Time) bool {
	switch k.State {
	case Held:
		return now.Before(k.Hold.ExpiresAt)
	case Pending, Confirming, Releasing, Booked:
		return true
	case Released, Cancelled:
	}
	return false
}

// Holding reports whether the ticket is live and not sold.
func (k *Ticket) Holding(now time.Time) bool { return k.Live(now) && k.State != Booked }

// InTransit reports whether the store owes an answer about the ticket.
func (k *Ticket) InTransit() bool {
	return k.State == Pending || k.State == Confirming || k.State == Releasing
}

// counts reports whether the ticket matters to what its user means by a seat: it is live,
// or ended not longer ago than is remembered.
func (k *Ticket) counts(now time.Time) bool {
	ended := k.Hold.ExpiresAt
	if k.State == Cancelled {
		ended = k.Sold.CancelledAt
	}
	return k.Live(now) || now.Before(ended.Add(booking.HoldRetention))
}

func (k *Ticket) on(seat, leg int) bool {
	return slices.Contains(k.Hold.Seats, seat) && k.from <= leg && leg < k.to
}

// Grid returns the state of every leg of every seat at now: of seat n's leg l at
// [n-1][l].
func (m *Model) Grid(now time.Time) [][]booking.SeatState {
	grid := make([][]booking.SeatState, m.train.Capacity)
	for n := range grid {
		grid[n] = make([]booking.SeatState, len(m.train.Stops)-1)
		for leg := range grid[n] {
			grid[n][leg] = booking.SeatAvailable
			for _, k := range m.tickets {
				switch {
				case !k.Live(now) || !k.on(n+1, leg):
				case k.State == Booked:
					grid[n][leg] = booking.SeatBooked
				default:
					grid[n][leg] = booking.SeatHeld
				}
			}
		}
	}
	return grid
}

// Segment returns what a seat with these legs is as a whole: booked if any is, else
// held if any is.
func Segment(legs []booking.SeatState) booking.SeatState {
	for _, state := range []booking.SeatState{booking.SeatBooked, booking.SeatHeld} {
		if slices.Contains(legs, state) {
			return state
		}
	}
	return booking.SeatAvailable
}

// inTheWay returns the live tickets that have the seat on a leg of [from, to).
func (m *Model) inTheWay(seat, from, to int, now time.Time) (found []*Ticket) {
	for _, k := range m.tickets {
		for leg := from; leg < to; leg++ {
			if k.Live(now) && k.on(seat, leg) {
				found = append(found, k)
				break
			}
		}
	}
	return found
}

// segment returns the positions of two stations; empty means the train's ends.
func (m *Model) segment(from, to string) (i, j int, err error) {
	i, j = 0, len(m.train.Stops)-1
	if from != "" {
		i = m.position(from)
	}
	if to != "" {
		j = m.position(to)
	}
	switch {
	case i < 0 || j < 0:
		return 0, 0, refusal(booking.CodeNotFound)
	case i >= j:
		return 0, 0, refusal(booking.CodeInvalidRequest)
	}
	return i, j, nil
}

func (m *Model) position(station string) int {
	for i, stop := range m.train.Stops {
		if strings.EqualFold(strings.TrimSpace(station), stop.Station) {
			return i
		}
	}
	return -1
}

func (m *Model) ofUser(user uuid.UUID) (found []*Ticket) {
	for _, k := range m.tickets {
		if k.Hold.User == user {
			found = append(found, k)
		}
	}
	return found
}

// refusal is an error of the model: no sentences, those are not rules.
func refusal(code booking.Code) *booking.Error { return &booking.Error{Code: code} }
