package memory

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Store is a persistence.Store.
type Store struct {
	mu        sync.Mutex
	revision  int64 // of the last change of a train or schedule
	trains    map[booking.TrainID]*train
	schedules map[booking.ScheduleID]*schedule
	bookings  map[uuid.UUID]*booking.Booking
	users     map[uuid.UUID]booking.User
	tokens    map[uuid.UUID]token
	replies   map[replyKey]booking.Reservation
}

var _ persistence.Store = (*Store)(nil)

// train is a row with its seats and bookings.
type train struct {
	booking.Train
	epoch    int64
	revision int64
	owner    uuid.UUID // zero: nobody
	deleted  bool
	seats    map[int]booking.Legs // the legs on which each seat is booked
	sold     []*booking.Booking   // live, in the order of their writes
	// cancelled are the cancelled bookings by user, in the order of their cancellations.
	cancelled map[uuid.UUID][]*booking.Booking
	former    map[uuid.UUID]*booking.Train // as it was when each booking was cancelled
}

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{
		trains: map[booking.TrainID]*train{}, schedules: map[booking.ScheduleID]*schedule{},
		bookings: map[uuid.UUID]*booking.Booking{}, users: map[uuid.UUID]booking.User{}, tokens: map[uuid.UUID]token{}, replies: map[replyKey]booking.Reservation{},
	}
}

// Ping implements persistence.Store.
func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }

// begin locks the store for one call, unless ctx has ended.
func (s *Store) begin(ctx context.Context) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return func() {}, err
	}
	s.mu.Lock()
	return s.mu.Unlock, nil
}
