package memory

import (
	"context"
	"slices"

	"trainbooking.dev/persistence"
)

// Book implements persistence.Bookings.
func (s *Store) Book(ctx context.Context, sales []persistence.Sale) ([]error, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	results := make([]error, len(sales))
	for i, sale := range sales {
		results[i] = s.sell(sale)
	}
	return results, nil
}

func (s *Store) sell(sale persistence.Sale) error {
	t, err := s.guarded(sale.Guard)
	if err != nil {
		return err
	}
	b := sale.Booking
	if existing := s.bookings[b.ID]; existing != nil {
		if existing.CancelledAt.IsZero() {
			return nil
		}
		return persistence.ErrConflict
	}
	if slices.ContainsFunc(b.Seats, func(n int) bool { return t.seats[n].Overlaps(b.Legs) }) {
		return persistence.ErrConflict
	}
	for _, n := range b.Seats {
		t.seats[n] |= b.Legs
	}
	s.bookings[b.ID] = &b
	t.sold = append(t.sold, &b)
	return nil
}
