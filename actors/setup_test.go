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

// stores is a SQLite database whose calls can be replaced.
type stores struct {
	*sqlite.DB
	book  hook[persistence.Sale]
	holds hook[persistence.HoldWrite]
	load  atomic.Pointer[error] // of LoadTrains
	adopt atomic.Pointer[error] // of Adopt
	user  atomic.Pointer[error] // of UserHolds
}

// hook replaces the calls of one write, unless it is nil.
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

func (s *stores) LoadTrains(
	ctx context.Context, trains []booking.TrainID, became []uuid.UUID,
) ([]persistence.Result[persistence.LoadedTrain], error) {
	if err := s.load.Load(); err != nil {
		return nil, *err
	}
	return s.DB.LoadTrains(ctx, trains, became)
}

func (s *stores) Adopt(ctx context.Context, activations []persistence.Adoption) ([]error, error) {
	if err := s.adopt.Load(); err != nil {
		return nil, *err
	}
	return s.DB.Adopt(ctx, activations)
}

func (s *stores) UserHolds(
	ctx context.Context, id booking.TrainID, user uuid.UUID, now time.Time,
) ([]booking.Hold, error) {
	if err := s.user.Load(); err != nil {
		return nil, *err
	}
	return s.DB.UserHolds(ctx, id, user, now)
}

// openStores opens a database and closes it at the end of the test.
func openStores(tb testing.TB) *stores {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), tb.TempDir(), sqlite.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	require.NoError(tb, db.Migrate(tb.Context()))
	return &stores{DB: db}
}

// bothStores is one store for trains and holds.
type bothStores interface {
	persistence.Store
	persistence.Holds
}

// start starts a System and stops it at the end of the test.
func start(tb testing.TB, s bothStores, rules booking.HoldRules) *actors.System {
	tb.Helper()
	return startWith(tb, actors.New(actors.Options{Store: s, Holds: s, Rules: rules}))
}

func startWith(tb testing.TB, s *actors.System) *actors.System {
	tb.Helper()
	require.NoError(tb, s.Start(tb.Context()))
	tb.Cleanup(func() { require.NoError(tb, s.Stop(context.Background())) })
	return s
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
