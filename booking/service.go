package booking

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Service is the whole of what the product does with trains and seats. Package
// actors implements it; package api serves it over HTTP; bookingtest.Exercise says
// what every implementation must do. It is safe for concurrent use.
//
// Every method may return unavailable, storage_full or timeout; their Outcome says
// whether anything happened. Every method that takes a train id returns not_found
// when there is no such train.
type Service interface {
	Trains
	Seats
	Bookings
}

// Trains puts trains on sale and finds them. Who may call what is the caller's
// matter (API.md: train-admin for all that change).
type Trains interface {
	// CreateTrain adds a train under train.ID, which the caller makes; where it is
	// zero a random one is made. Errors: invalid_request; already_exists when a train
	// has that id.
	CreateTrain(ctx context.Context, train Train) (Train, error)
	// PutTrain creates train.ID or changes it to train; the same train twice changes
	// nothing. CreatedAt and UpdatedAt are the service's. Errors: invalid_request;
	// capacity_in_use with the Seats in the way; has_bookings when stops change under
	// booked or held seats.
	PutTrain(ctx context.Context, train Train) (put Train, created bool, err error)
	// DeleteTrain takes the train off every list and ends its live holds. While seats
	// are booked it is has_bookings, unless force, which cancels the bookings.
	DeleteTrain(ctx context.Context, id TrainID, force bool) error
	// FindTrain returns one train with its figures over its whole run.
	FindTrain(ctx context.Context, id TrainID) (Availability, error)
	// ListTrains returns the trains that match, oldest first, with figures over the
	// segment asked for and without seat lists. It wakes no idle train.
	ListTrains(ctx context.Context, query TrainQuery) (Page[Availability], error)
	// Search returns the trains that a passenger can still book from one station to
	// another: on sale and not departed; oldest first, with seat lists. Stations are
	// compared folded. None is an empty slice.
	Search(ctx context.Context, from, to string) ([]Availability, error)
}

// Seats shows and sells the seats of a train.
type Seats interface {
	// SeatMap returns the state of every seat on the segment, in order of number.
	SeatMap(ctx context.Context, id TrainID, from, to string) ([]Seat, error)
	// Hold locks all the seats asked for, or none. The same user asking again for the
	// same seats and segment gets the hold that is there, also while the first request
	// is in flight. Errors: invalid_request (seat numbers out of 1..MaxCapacity, to not
	// after from), not_found (seat or station not on the train), departed, not_on_sale,
	// seat_locked, seat_booked, too_many_holds.
	Hold(ctx context.Context, request HoldRequest) (Hold, error)
	// Confirm books every seat of a live hold of the user. Confirming again what is
	// booked returns the same booking. Errors: seat_not_locked, ambiguous_hold,
	// not_found (the seat).
	Confirm(ctx context.Context, ref HoldRef) (Booking, error)
	// Release ends a live hold of the user at once, all its seats. Errors as Confirm.
	Release(ctx context.Context, ref HoldRef) error
}

// Bookings finds and cancels what was sold.
type Bookings interface {
	// CancelBooking puts the booking's own legs on sale again. Idempotent. Error:
	// not_found when user has no booking id.
	CancelBooking(ctx context.Context, user, id uuid.UUID) error
	// UserBookings lists the live bookings of user, oldest first.
	UserBookings(ctx context.Context, user uuid.UUID, page PageRequest) (Page[BookedTrain], error)
	// TrainBookings lists the live bookings of a train, oldest first.
	TrainBookings(ctx context.Context, id TrainID, page PageRequest) (Page[Booking], error)
}

// TrainQuery selects trains: all of them, those that run From one station To
// another (both or neither), and of those the ones that leave From on Date, the
// local date by that stop's own UTC offset.
type TrainQuery struct {
	From, To string
	Date     time.Time // its year, month and day count; zero: any
	Page     PageRequest
}

// Availability is a train as it can be bought on one segment. Available + seats only
// held + Booked = Capacity, always.
type Availability struct {
	Train   *Train
	Segment Legs
	Tally
	// SeatList is the JSON array of the numbers of the available seats, ascending,
	// encoded once for each state of the train; nil where no list was asked for.
	SeatList []byte
}

// Tally counts the seats of a segment by state; the three add up to the capacity.
type Tally struct {
	Booked    int // booked on at least one leg
	Held      int // held on at least one leg and booked on none
	Available int // free on every leg
}

// SeatState is what a seat is on a segment.
type SeatState string

// The states of a seat. A seat that is both, on different legs, is booked.
const (
	SeatAvailable SeatState = "available"
	SeatHeld      SeatState = "held"
	SeatBooked    SeatState = "booked"
)

// Seat is a row of the seat map.
type Seat struct {
	Number int       `json:"seat_number"`
	State  SeatState `json:"state"`
}
