package actors

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// UserHolds implements booking.Service. It reads the stores, which have everything that was answered,
// so it needs no owner and activates no train (docs/decisions/0028).
func (s *System) UserHolds(ctx context.Context, user uuid.UUID) (booking.Page[booking.HoldOnTrain], error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	page := booking.Page[booking.HoldOnTrain]{Items: []booking.HoldOnTrain{}}
	// The holds first: one that becomes a booking in between is then found among the bookings.
	held, err := s.holdStore.HoldsOfUser(ctx, user, time.Now())
	if err != nil || len(held.Holds) == 0 {
		page.Incomplete = held.Incomplete
		return page, persistence.ClientError(err)
	}
	holds, err := s.withoutBooked(ctx, held.Holds)
	if err != nil {
		return page, err
	}
	trains, err := s.trainsOf(ctx, holds)
	for _, h := range holds {
		// A hold of a deleted train, or of another one with its id, may still be stored.
		on := trains[h.ID.Train()]
		if on != nil && h.BelongsTo(on) && on.Run().Contains(h.Legs) {
			h.Incarnation = 0
			page.Items = append(page.Items, booking.HoldOnTrain{Hold: h, On: on})
		}
	}
	if err != nil && len(page.Items) == 0 {
		return page, err
	}
	page.Incomplete = held.Incomplete || err != nil || len(page.Items) > persistence.MaxUserHolds
	slices.SortFunc(page.Items, func(a, b booking.HoldOnTrain) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	page.Items = page.Items[:min(len(page.Items), persistence.MaxUserHolds)]
	return page, nil
}

// withoutBooked returns the holds that did not become bookings. The record of one that did is dropped
// after the response, and its booking may be cancelled since.
func (s *System) withoutBooked(ctx context.Context, holds []booking.Hold) ([]booking.Hold, error) {
	ids := make([]uuid.UUID, len(holds))
	for i, h := range holds {
		ids[i] = booking.BookingIDOf(h.User, h.ID)
	}
	found, err := s.store.FindBookings(ctx, ids)
	if err != nil {
		return nil, persistence.ClientError(err)
	}
	booked := make(map[uuid.UUID]bool, len(found))
	for _, b := range found {
		booked[b.ID] = true
	}
	holds = slices.DeleteFunc(holds, func(h booking.Hold) bool { return booked[booking.BookingIDOf(h.User, h.ID)] })
	return s.withoutBookedSeats(ctx, holds)
}

// withoutBookedSeats returns the holds with the seats that did not become bookings. The record of a hold gets
// the others after the response (docs/decisions/0029).
func (s *System) withoutBookedSeats(ctx context.Context, holds []booking.Hold) ([]booking.Hold, error) {
	if !slices.ContainsFunc(holds, func(h booking.Hold) bool { return len(h.Seats) > 1 }) { // no parts
		return holds, nil
	}
	trains := trainIDs(holds)
	legs, err := s.store.SeatLegs(ctx, trains)
	if err != nil {
		return nil, persistence.ClientError(err)
	}
	of := make(map[booking.TrainID]map[int]booking.Legs, len(trains))
	for i, id := range trains {
		of[id] = legs[i]
	}
	for i := range holds {
		h := &holds[i]
		h.Seats = slices.DeleteFunc(slices.Clone(h.Seats), func(n int) bool { return of[h.ID.Train()][n].Overlaps(h.Legs) })
	}
	return slices.DeleteFunc(holds, func(h booking.Hold) bool { return len(h.Seats) == 0 }), nil
}

// trainIDs returns the ids of the trains of holds, each once.
func trainIDs(holds []booking.Hold) (ids []booking.TrainID) {
	seen := make(map[booking.TrainID]bool, len(holds))
	for _, h := range holds {
		if id := h.ID.Train(); !seen[id] {
			seen[id], ids = true, append(ids, id)
		}
	}
	return ids
}

// trainsOf returns the trains of holds, which have rows. The error is the reason why some may be missing that exist.
func (s *System) trainsOf(ctx context.Context, holds []booking.Hold) (map[booking.TrainID]*booking.Train, error) {
	ids := trainIDs(holds)
	trains := make(map[booking.TrainID]*booking.Train, len(ids))
	found, err := s.findRows(ctx, ids...)
	for i, train := range found {
		trains[ids[i]] = train
	}
	return trains, err
}
