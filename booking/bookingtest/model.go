package bookingtest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Model is the history of one train's seats. Its methods are those of booking.SeatMap, except
// that they all take the time, so that nothing has to be expired. It is not safe for concurrent
// use.
type Model struct {
	train   booking.Train
	rules   booking.HoldRules
	tickets []*Ticket // in the order of the requests
}

// NewModel returns the model of a train with nothing sold.
func NewModel(train booking.Train, rules booking.HoldRules) *Model {
	return &Model{train: train, rules: rules}
}

// Tickets returns every ticket whose hold was written or is being written, oldest first.
func (m *Model) Tickets() []*Ticket { return m.tickets }

// Grid returns the state of every leg of every seat at now. The state of leg l of seat n is at
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

// Segment returns the state of a seat on several legs: booked if it is booked on any of them,
// else held if it is held on any.
func Segment(legs []booking.SeatState) booking.SeatState {
	for _, state := range []booking.SeatState{booking.SeatBooked, booking.SeatHeld} {
		if slices.Contains(legs, state) {
			return state
		}
	}
	return booking.SeatAvailable
}

// conflicting returns the live tickets that have the seat on a leg of [from, to).
func (m *Model) conflicting(seat, from, to int, now time.Time) (found []*Ticket) {
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

// segment returns the positions of two stations; empty means the first and the last stop.
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

// refusal returns an error without a message.
func refusal(code booking.Code) *booking.Error { return &booking.Error{Code: code} }
