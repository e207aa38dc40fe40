package booking

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Service administers trains and sells their seats. Package actors implements it, package
// api serves it over HTTP, and bookingtest.Exercise tests every implementation. It is safe
// for concurrent use.
//
// Every method may return unavailable, storage_full or timeout; their Outcome says
// whether the request was executed. Every method that takes a train id returns
// not_found for an unknown train.
type Service interface {
	Trains
	Schedules
	Seats
	Bookings
}

// Trains administers and finds trains. It does not authorize: the caller checks the
// role (API.md: train-admin for every change).
type Trains interface {
	// CreateTrain adds a train under train.ID, or under a random id if that is zero.
	// Errors: invalid_request; already_exists if a train has that id.
	CreateTrain(ctx context.Context, train Train) (Train, error)
	// PutTrain creates train.ID or changes it to train. It is idempotent. The service
	// sets CreatedAt and UpdatedAt. Errors: invalid_request; capacity_in_use with the
	// taken Seats above the new capacity; has_bookings if the stations of booked or held
	// seats, or their order, would change. Times and spelling may change.
	PutTrain(ctx context.Context, train Train) (put Train, created bool, err error)
	// DeleteTrain deletes the train and its live holds; with force it also cancels the
	// bookings, ByTrain. Error: has_bookings while seats are booked, without force.
	DeleteTrain(ctx context.Context, id TrainID, force bool) error
	// FindTrain returns a train with its tally over its whole run.
	FindTrain(ctx context.Context, id TrainID) (Availability, error)
	// ListTrains returns the trains that match, in the order of query.List, with tallies over the
	// segment of the query and without seat lists. The page is Incomplete if some trains could
	// not be read.
	ListTrains(ctx context.Context, query TrainQuery) (Page[Availability], error)
	// Search returns the trains that a passenger can still book from one station to
	// another (Sells and not Departed), in the order of ListDepartures, with seat lists: those that leave
	// on date, as in a TrainQuery. Stations are compared by SearchKey. Trains that could not be read are
	// missing, unless that is true of all.
	Search(ctx context.Context, from, to string, date time.Time) (Found, error)
	// SuggestStations returns the stations whose search key begins with that of prefix, which must
	// not be blank, or does so from one of its words on. There are at most MaxSuggestions, those
	// with the most trains that have not retired first, then by name. The slice is never nil.
	SuggestStations(ctx context.Context, prefix string) ([]Station, error)
}

// Seats finds and sells the seats of a train.
type Seats interface {
	// SeatMap returns the state of every seat on the segment, in order of number. An empty
	// from or to means the first or last stop. Errors: not_found (a station),
	// invalid_request (to not after from).
	SeatMap(ctx context.Context, id TrainID, from, to string) ([]Seat, error)
	// WatchSeats returns a watch whose first event has the state of every seat on the segment, as SeatMap
	// does. If after identifies a recent event, the watch begins with the changes since then. ctx bounds
	// only the start of the watch. Watching does not activate a train. Errors as SeatMap.
	WatchSeats(ctx context.Context, id TrainID, from, to string, after EventID) (SeatWatch, error)
	// Hold locks all the requested seats, or none. It is idempotent: while the user has a
	// hold of the same seats and segment, even one whose request is still in flight, Hold
	// returns that. Errors: invalid_request (seat numbers outside 1..MaxCapacity, to not
	// after from), not_found (seat or station not on the train), departed, not_on_sale,
	// seat_locked, seat_booked, held_too_long, not_enough_seats, too_many_holds, too_many_seats. More
	// seats than the user may hold, or a Count above the capacity, are invalid_request.
	Hold(ctx context.Context, request HoldRequest) (Hold, error)
	// Confirm books every seat of a live hold of the user, or ref.Seats. It is idempotent. Errors:
	// seat_not_locked, hold_expired (for HoldRetention), ambiguous_hold, not_found (a seat, or those
	// of ref.Seats that the hold does not have, in Seats), and
	// not_on_sale if the train was withdrawn or its SalesOpenAt moved, which ends the hold.
	Confirm(ctx context.Context, ref HoldRef) (Booking, error)
	// Extend extends a live hold of the user by one TTL, once. It is idempotent: a hold that was
	// extended is returned unchanged. Errors as Confirm.
	Extend(ctx context.Context, ref HoldRef) (Hold, error)
	// Release ends a live hold of the user, or takes ref.Seats from it, which is idempotent. Errors as
	// Confirm.
	Release(ctx context.Context, ref HoldRef) error
	// UserHolds lists the live holds of user on all trains, ordered by (ExpiresAt, ID), on one page.
	// Every one that was returned before the call is on it, unless the page is Incomplete: some could
	// not be read, or the user has very many.
	UserHolds(ctx context.Context, user uuid.UUID) (Page[HoldOnTrain], error)
}

// Bookings finds, cancels and exchanges bookings.
type Bookings interface {
	// CancelBooking cancels a booking and puts its own legs on sale again. With seats it cancels only
	// those, all or none: they become a cancelled booking of their own, with the id PartOf. It is
	// idempotent: the first cancellation stays. Errors: not_found if user has no booking id, or it does
	// not have the seats; departed if the train has left the stop where it begins.
	CancelBooking(ctx context.Context, user, id uuid.UUID, seats ...int) error
	// CancelAnyBooking is CancelBooking for an admin: it also cancels the bookings of others, and after
	// the departure. Error: not_found.
	CancelAnyBooking(ctx context.Context, admin, id uuid.UUID, seats ...int) error
	// ExchangeBooking books every seat of a live hold of user and cancels a booking of user, of the same
	// train or another one: both or neither. It returns the new booking and is idempotent. Errors:
	// not_found if user has no booking id; departed if its train has left the stop where it begins;
	// booking_cancelled; hold_confirmed if the hold is another booking already; those of Confirm for the
	// hold, where a hold of an unknown train is seat_not_locked. After each error the booking is as it
	// was, and after all but not_on_sale the hold too.
	ExchangeBooking(ctx context.Context, user, id uuid.UUID, hold HoldID) (Booking, error)
	// FindBooking returns a booking of user, which may be cancelled. Error: not_found if user has no
	// booking id.
	FindBooking(ctx context.Context, user, id uuid.UUID) (BookedTrain, error)
	// FindAnyBooking is FindBooking for an admin: it also finds the bookings of others.
	FindAnyBooking(ctx context.Context, id uuid.UUID) (BookedTrain, error)
	// UserBookings lists the bookings of user in one state, oldest or newest first.
	UserBookings(ctx context.Context, user uuid.UUID, page PageRequest) (Page[BookedTrain], error)
	// TrainBookings lists the bookings of a train in one state, oldest first. The train may be deleted.
	TrainBookings(ctx context.Context, id TrainID, page PageRequest) (Page[BookedTrain], error)
}

// TrainQuery selects trains: all of them, or those that run From one station To
// another (set both or neither), or of those the ones that leave From on Date, a
// local date in the UTC offset of that stop, or of the next one that has a time.
//
// Of a schedule, a Date selects the departures that leave then. Without a Date only the next departure
// that a passenger can book is selected.
type TrainQuery struct {
	From, To string
	Date     time.Time // only year, month and day are used; zero: any
	// Departed includes the trains that have left From, or, without stations, every stop at which a
	// segment can begin.
	Departed bool
	Page     PageRequest
}

// List returns the order of the trains: with stations that in which they depart from From, otherwise
// oldest first.
func (q TrainQuery) List() List {
	if q.From != "" || q.To != "" {
		return ListDepartures
	}
	return ListTrains
}

// Found is the result of a search.
type Found struct {
	Trains []Availability // never nil
	// Current reports whether the search would find the same now, but for trains whose sale began less than
	// a second ago. If it is nil, the result must not be kept. It is safe for concurrent use.
	Current func() bool
}

// Availability is a train with its tally on one segment.
type Availability struct {
	Train   *Train
	Segment Legs
	Tally
	SeatList SeatList // of the available seats; zero if no list was requested
}

// Memo keeps bytes that are derived from a value that does not change. It is safe for concurrent use.
type Memo struct {
	once  sync.Once
	bytes []byte
}

// Get returns the bytes, which derive makes if they are not kept. They are shared: do not change them.
func (m *Memo) Get(derive func() []byte) []byte {
	m.once.Do(func() { m.bytes = derive() })
	return m.bytes
}

// Tally counts the seats of a segment by state; the three add up to the capacity.
type Tally struct {
	Booked    int // booked on at least one leg
	Held      int // held on at least one leg and booked on none
	Available int // free on every leg
}

// SeatState is the state of a seat on a segment.
type SeatState string

// The states of a seat. A seat that is held on one leg and booked on another is booked.
const (
	SeatAvailable SeatState = "available"
	SeatHeld      SeatState = "held"
	SeatBooked    SeatState = "booked"
)

// Seat is a seat and its state.
type Seat struct {
	Number int       `json:"seat_number"`
	State  SeatState `json:"state"`
}
