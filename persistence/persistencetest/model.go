package persistencetest

import (
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// The train of the model is small, so that random sales conflict.
const (
	modelSeats = 4
	modelLegs  = 5
	modelIDs   = 8 // the number of booking ids, each of which is used repeatedly
)

// model is the simplest form of a train: a list of its bookings.
type model struct {
	guard     persistence.Guard
	bookings  map[uuid.UUID]booking.Booking // live
	cancelled map[uuid.UUID]bool
}

// matchModel executes random batches of sales and cancellations in the store and the model, and
// compares every result and the final state.
func matchModel(x *exercise) {
	rapid.Check(x.T, func(r *rapid.T) {
		m := model{
			guard: x.createAdopted(), bookings: map[uuid.UUID]booking.Booking{}, cancelled: map[uuid.UUID]bool{},
		}
		ids := make([]uuid.UUID, modelIDs)
		for i := range ids {
			ids[i] = uuid.New()
		}
		id := rapid.SampledFrom(ids)
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			if rapid.IntRange(0, 2).Draw(r, "cancel") == 0 {
				m.cancel(x, r, id.Draw(r, "id"))
			} else {
				m.book(x, r, rapid.SliceOfN(saleGen(m.guard, id), 1, 3).Draw(r, "batch"))
			}
		}
		m.compare(x, r, ids)
	})
}

// saleGen draws sales. It may draw the same id with other seats, as a faulty caller would send.
func saleGen(guard persistence.Guard, id *rapid.Generator[uuid.UUID]) *rapid.Generator[persistence.Sale] {
	return rapid.Custom(func(r *rapid.T) persistence.Sale {
		from := rapid.IntRange(0, modelLegs-1).Draw(r, "from")
		to := rapid.IntRange(from+1, modelLegs).Draw(r, "to")
		seats := rapid.SliceOfNDistinct(rapid.IntRange(1, modelSeats), 1, 3, rapid.ID).Draw(r, "seats")
		sale := saleOf(guard, booking.Segment(from, to), seats...)
		sale.Booking.ID = id.Draw(r, "id")
		return sale
	})
}

func (m *model) book(x *exercise, r *rapid.T, sales []persistence.Sale) {
	results, err := x.Book(x.Context(), sales)
	require.NoError(r, err)
	for i, sale := range sales {
		require.ErrorIs(r, results[i], m.sell(sale.Booking), "sale %d", i)
	}
}

// sell returns the result of Book for one sale.
func (m *model) sell(b booking.Booking) error {
	if _, ok := m.bookings[b.ID]; ok {
		return nil
	}
	if m.cancelled[b.ID] || !m.free(b) {
		return persistence.ErrConflict
	}
	m.bookings[b.ID] = b
	return nil
}

func (m *model) free(b booking.Booking) bool {
	for _, seat := range b.Seats {
		if m.booked(seat).Overlaps(b.Legs) {
			return false
		}
	}
	return true
}

// booked returns the legs on which a seat is booked.
func (m *model) booked(seat int) (legs booking.Legs) {
	for _, b := range m.bookings {
		for _, s := range b.Seats {
			if s == seat {
				legs |= b.Legs
			}
		}
	}
	return legs
}

func (m *model) cancel(x *exercise, r *rapid.T, id uuid.UUID) {
	err := x.CancelBooking(x.Context(), m.guard, id, start, booking.ByPassenger)
	if _, ok := m.bookings[id]; !ok && !m.cancelled[id] {
		require.ErrorIs(r, err, persistence.ErrNotFound)
		return
	}
	require.NoError(r, err)
	delete(m.bookings, id)
	m.cancelled[id] = true
}

// compare compares the bookings, the legs of each seat and the number of booked seats on each leg.
func (m *model) compare(x *exercise, r *rapid.T, ids []uuid.UUID) {
	loaded, err := LoadTrain(x.Context(), x, m.guard.Train, ids)
	require.NoError(r, err)
	require.Len(r, loaded.Bookings, len(m.bookings))
	for _, b := range loaded.Bookings {
		require.Equal(r, m.bookings[b.ID], b)
	}
	require.ElementsMatch(r, slices.Collect(maps.Keys(m.cancelled)), loaded.Cancelled)
	require.Equal(r, seatsOf(loaded.Bookings), loaded.Seats)
	for leg := range modelLegs {
		want := 0
		for seat := 1; seat <= modelSeats; seat++ {
			if m.booked(seat).Overlaps(booking.Segment(leg, leg+1)) {
				want++
			}
		}
		require.Equal(r, want, x.booked(m.guard.Train, booking.Segment(leg, leg+1)), "leg %d", leg)
	}
}
