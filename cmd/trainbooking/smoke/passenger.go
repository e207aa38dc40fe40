package smoke

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
)

// cancelEach is how many turns a passenger takes for each booking that they cancel.
const cancelEach = 4

// passenger is one user, who does one thing at a time.
type passenger struct {
	account *account
	api     *client.Client
	train   booking.Train
	tally   *tally
	keep    int               // bookings to have at most
	kept    []booking.Booking // acknowledged and not cancelled, oldest first
}

// takeTurns takes one turn at least, and others until over.
func (p *passenger) takeTurns(ctx context.Context, over time.Time) error {
	pace := time.NewTicker(turnEvery)
	defer pace.Stop()
	for turn := 1; ; turn++ {
		if err := p.turn(ctx); err != nil {
			return err
		}
		if len(p.kept) > p.keep || turn%cancelEach == 0 {
			if err := p.cancelOldest(ctx); err != nil {
				return err
			}
		}
		if !time.Now().Before(over) {
			return nil
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// turn books one seat and finds it among the bookings.
func (p *passenger) turn(ctx context.Context) error {
	if err := p.search(ctx); err != nil {
		return err
	}
	// One id for the request, however often it is sent: it finds its own hold.
	wanted := booking.HoldRequest{ID: booking.NewHoldID(p.train.ID), User: p.account.id, Train: p.train.ID, Count: 1}
	held, err := insist(ctx, func() (booking.Hold, error) { return p.api.Hold(ctx, wanted) })
	if err != nil {
		return fmt.Errorf("lock a seat: %w", err)
	}
	ref := booking.HoldRef{User: p.account.id, Train: p.train.ID, Hold: held.ID}
	booked, err := insist(ctx, func() (booking.Booking, error) { return p.api.Confirm(ctx, ref) })
	if err != nil {
		return fmt.Errorf("confirm seat %d: %w", held.Seats[0], err)
	}
	p.kept = append(p.kept, booked)
	p.tally.booked()
	return p.find(ctx, booked)
}

// search looks for the train as somebody does who knows only the stations.
func (p *passenger) search(ctx context.Context) error {
	from, to := p.train.Ends(p.train.Run())
	found, err := insist(ctx, func() ([]booking.Availability, error) {
		return p.api.Search(ctx, from.Station, to.Station)
	})
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	for _, a := range found {
		if a.Train.ID == p.train.ID {
			return nil
		}
	}
	return fmt.Errorf("the search from %s to %s does not find the train %s, which is on sale", from.Station, to.Station, p.train.ID)
}

// find looks for a booking in the list, at the place where it must be.
func (p *passenger) find(ctx context.Context, wanted booking.Booking) error {
	page := booking.PageRequest{Limit: 1, After: booking.Cursor{At: wanted.BookedAt.Add(-time.Microsecond)}}
	got, err := p.list(ctx, page)
	if err != nil {
		return err
	}
	if len(got) == 0 || got[0].ID != wanted.ID {
		return fmt.Errorf("booking %s was acknowledged and is not listed", wanted.ID)
	}
	return nil
}

// list returns the bookings of the passenger; a zero page is all of them.
func (p *passenger) list(ctx context.Context, page booking.PageRequest) ([]booking.Booking, error) {
	got, err := insist(ctx, func() (booking.Page[booking.BookedTrain], error) {
		return p.api.UserBookings(ctx, p.account.id, page)
	})
	if err != nil {
		return nil, fmt.Errorf("list the bookings: %w", err)
	}
	bookings := make([]booking.Booking, len(got.Items))
	for i := range got.Items {
		bookings[i] = got.Items[i].Booking
	}
	return bookings, nil
}

// cancelOldest cancels the booking that the passenger has had for longest.
func (p *passenger) cancelOldest(ctx context.Context) error {
	oldest := p.kept[0].ID
	_, err := insist(ctx, func() (struct{}, error) {
		return struct{}{}, p.api.CancelBooking(ctx, p.account.id, oldest)
	})
	if err != nil {
		return fmt.Errorf("cancel booking %s: %w", oldest, err)
	}
	p.kept = p.kept[1:]
	p.tally.cancelled()
	return nil
}

// audit compares what the passengers were told with what the service has: every
// acknowledged booking is there, and no seat is booked twice on any leg.
func audit(ctx context.Context, passengers []*passenger) error {
	type place struct {
		train booking.TrainID
		seat  int
	}
	sold := map[place]booking.Legs{}
	for _, p := range passengers {
		listed, err := p.list(ctx, booking.PageRequest{})
		if err != nil {
			return err
		}
		ids := map[uuid.UUID]bool{}
		for _, b := range listed {
			ids[b.ID] = true
			for _, seat := range b.Seats {
				at := place{b.Train, seat}
				if sold[at]&b.Legs != 0 {
					return fmt.Errorf("seat %d of train %s was sold twice", seat, b.Train)
				}
				sold[at] |= b.Legs
			}
		}
		if lost := slices.IndexFunc(p.kept, func(b booking.Booking) bool { return !ids[b.ID] }); lost >= 0 {
			return fmt.Errorf("booking %s of seat %d was acknowledged and is lost", p.kept[lost].ID, p.kept[lost].Seats[0])
		}
	}
	return nil
}
