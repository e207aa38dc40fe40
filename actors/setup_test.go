package actors_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

var rules = booking.HoldRules{TTL: booking.DefaultHoldTTL, MaxSeats: booking.DefaultMaxHolds}

// stores is a real database with a hand on its writes.
type stores struct {
	*sqlite.DB
	book  hook[persistence.Sale]
	holds hook[persistence.HoldWrite]
	load  atomic.Pointer[error] // what LoadTrain fails with
	adopt atomic.Pointer[error] // what Adopt fails with
}

// hook stands before the next calls of one write; nil lets them through.
type hook[T any] struct {
	atomic.Pointer[func(items []T, write func() ([]error, error)) ([]error, error)]
}

func (h *hook[T]) set(f func(items []T, write func() ([]error, error)) ([]error, error)) {
	h.Store(&f)
}

func (h *hook[T]) call(items []T, write func() ([]error, error)) ([]error, error) {
	if f := h.Load(); f != nil {
		return (*f)(items, write)
	}
	return write()
}

func (s *stores) Book(ctx context.Context, sales []persistence.Sale) ([]error, error) {
	return s.book.call(sales, func() ([]error, error) { return s.DB.Book(ctx, sales) })
}

func (s *stores) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	return s.holds.call(writes, func() ([]error, error) { return s.DB.WriteHolds(ctx, writes) })
}

func (s *stores) LoadTrain(
	ctx context.Context, id booking.TrainID, since time.Time,
) (booking.Train, []booking.Booking, error) {
	if err := s.load.Load(); err != nil {
		return booking.Train{}, nil, *err
	}
	return s.DB.LoadTrain(ctx, id, since)
}

func (s *stores) Adopt(ctx context.Context, id booking.TrainID, seen int64, owner uuid.UUID) (int64, error) {
	if err := s.adopt.Load(); err != nil {
		return 0, *err
	}
	return s.DB.Adopt(ctx, id, seen, owner)
}

// openStores opens a database that the test closes.
func openStores(t *testing.T) *stores {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	return &stores{DB: db}
}

// start starts a system on the stores; the test stops it.
func start(t *testing.T, s *stores, rules booking.HoldRules) *actors.System {
	t.Helper()
	system := actors.New(actors.Options{Store: s, Holds: s, Rules: rules})
	require.NoError(t, system.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, system.Stop(context.Background())) })
	return system
}

// addTrain adds a train from A through B to C.
func addTrain(t *testing.T, s booking.Service, capacity int) booking.TrainID {
	t.Helper()
	train, err := s.CreateTrain(t.Context(), booking.Train{
		Name: "Test Express", Capacity: capacity, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
	})
	require.NoError(t, err)
	return train.ID
}

func seat(train booking.TrainID, user uuid.UUID, n int) booking.HoldRequest {
	return booking.HoldRequest{Train: train, User: user, Seats: []int{n}}
}

func refTo(h booking.Hold) booking.HoldRef {
	return booking.HoldRef{Train: h.ID.Train(), User: h.User, Hold: h.ID}
}

func tally(t *testing.T, s booking.Service, id booking.TrainID) booking.Tally {
	t.Helper()
	a, err := s.FindTrain(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, a.Train.Capacity, a.Booked+a.Held+a.Available, "free + held + booked = capacity")
	return a.Tally
}
