package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"trainbooking.dev/booking"
)

// offer is a train as get-trains shows it.
type offer struct {
	ID        booking.TrainID `json:"train_id"`
	Capacity  int             `json:"train_capacity"`
	Remaining int             `json:"remaining_capacity"`
	From      string          `json:"source"`
	To        string          `json:"destination"`
	Seats     json.RawMessage `json:"seat_available"`
}

// tally counts the seats, if they can be counted.
func (o offer) tally() (booking.Tally, error) {
	var numbers []int
	if err := json.Unmarshal(o.Seats, &numbers); err != nil {
		return booking.Tally{}, err
	}
	t := booking.Tally{Booked: o.Capacity - o.Remaining, Held: o.Remaining - len(numbers), Available: len(numbers)}
	if numbers == nil || t.Booked < 0 || t.Held < 0 {
		return booking.Tally{}, errors.New("seats that do not add up")
	}
	return t, nil
}

// offersOf reports whether each of them can be read.
func offersOf(offers []offer) ([]offer, error) {
	if offers == nil {
		return nil, errors.New("no list")
	}
	for _, o := range offers {
		if _, err := o.tally(); err != nil {
			return nil, err
		}
	}
	return offers, nil
}

// on returns the offer beside its train; false when that does not run there any more. Its
// capacity is that of the offer, whose figures add up to it.
func (o offer) on(train booking.Train) (booking.Availability, bool) {
	train.Capacity = o.Capacity
	segment, err := train.Segment(o.From, o.To)
	tally, _ := o.tally() // offersOf looked
	return booking.Availability{Train: &train, Segment: segment, Tally: tally, SeatList: o.Seats}, err == nil
}

// Search returns the trains that can still be booked from one station to another, oldest
// first, with seat lists; see booking.Trains. It asks twice: get-trains lists seats, and
// /v1/trains has the stops. A train that is deleted between the two is left out.
func (c *Client) Search(ctx context.Context, from, to string) ([]booking.Availability, error) {
	found := []booking.Availability{}
	if nowhere(from, to) {
		return found, nil
	}
	offers, err := ask(ctx, c, request{
		operation: "Search", method: http.MethodGet, path: "/train/get-trains/",
		query: url.Values{"source": {from}, "destination": {to}}, anyone: true,
	}, offersOf)
	if err != nil {
		return nil, err
	}
	trains, err := c.trainsOf(ctx, offers, booking.TrainQuery{From: from, To: to})
	if err != nil {
		return nil, err
	}
	for _, o := range offers {
		train := trains[o.ID]
		if train == nil {
			continue
		}
		if a, runs := o.on(*train); runs {
			found = append(found, a)
		}
	}
	return found, nil
}

// trainsOf finds the trains of the offers. It reads the list of those that run there no
// further than to the last of them.
func (c *Client) trainsOf(
	ctx context.Context, offers []offer, query booking.TrainQuery,
) (map[booking.TrainID]*booking.Train, error) {
	trains := make(map[booking.TrainID]*booking.Train, len(offers))
	for _, o := range offers {
		trains[o.ID] = nil
	}
	missing := len(trains)
	if missing == 0 {
		return trains, nil
	}
	for a, err := range c.Trains(ctx, query) {
		if err != nil {
			return nil, err
		}
		if there, wanted := trains[a.Train.ID]; !wanted || there != nil {
			continue
		}
		trains[a.Train.ID] = a.Train
		if missing--; missing == 0 {
			break
		}
	}
	return trains, nil
}
