package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"trainbooking.dev/booking"
)

// availableTrain is a train in the response of get-trains.
type availableTrain struct {
	ID        booking.TrainID `json:"train_id"`
	Capacity  int             `json:"train_capacity"`
	Remaining int             `json:"remaining_capacity"`
	From      string          `json:"source"`
	To        string          `json:"destination"`
	Seats     json.RawMessage `json:"seat_available"`
}

// tally returns the seat counts, or an error if they are inconsistent.
func (t availableTrain) tally() (booking.Tally, error) {
	var numbers []int
	if err := json.Unmarshal(t.Seats, &numbers); err != nil {
		return booking.Tally{}, err
	}
	tally := booking.Tally{
		Booked: t.Capacity - t.Remaining, Held: t.Remaining - len(numbers), Available: len(numbers),
	}
	if numbers == nil || tally.Booked < 0 || tally.Held < 0 {
		return booking.Tally{}, errors.New("seats that do not add up")
	}
	return tally, nil
}

// checkTrains returns the trains, or an error if one of them is inconsistent.
func checkTrains(trains []availableTrain) ([]availableTrain, error) {
	if trains == nil {
		return nil, errors.New("not a list")
	}
	for _, t := range trains {
		if _, err := t.tally(); err != nil {
			return nil, err
		}
	}
	return trains, nil
}

// availability combines the response of get-trains with the stops of train. It returns
// false if the train no longer has the segment.
func (t availableTrain) availability(train booking.Train) (booking.Availability, bool) {
	train.Capacity = t.Capacity // the seat counts add up to this one
	segment, err := train.Segment(t.From, t.To)
	tally, _ := t.tally() // checkTrains has checked it
	return booking.Availability{Train: &train, Segment: segment, Tally: tally, SeatList: booking.EncodedSeatList(t.Seats)}, err == nil
}

// Search returns the trains that can be booked between two stations, in the order in which they
// depart, with their seat lists; see booking.Trains. It sends two requests, because get-trains returns
// the seats and /v1/trains the stops. It omits a train that is deleted or departs between the two. The result has no Current.
func (c *Client) Search(ctx context.Context, from, to string, date time.Time) (booking.Found, error) {
	found := booking.Found{Trains: []booking.Availability{}}
	if sameStation(from, to) {
		return found, nil
	}
	query := url.Values{"source": {from}, "destination": {to}}
	if !date.IsZero() {
		query.Set("date", date.Format(time.DateOnly))
	}
	available, err := do(ctx, c, request{
		operation: "Search", method: http.MethodGet, path: "/train/get-trains/", query: query, public: true,
	}, checkTrains)
	if err != nil {
		return booking.Found{}, err
	}
	trains, err := c.findTrains(ctx, available, booking.TrainQuery{From: from, To: to, Date: date})
	if err != nil {
		return booking.Found{}, err
	}
	for _, t := range available {
		train := trains[t.ID]
		if train == nil {
			continue
		}
		if a, ok := t.availability(*train); ok {
			found.Trains = append(found.Trains, a)
		}
	}
	return found, nil
}

// findTrains returns the available trains with their stops. It reads the list of the query
// only up to the last of them.
func (c *Client) findTrains(
	ctx context.Context, available []availableTrain, query booking.TrainQuery,
) (map[booking.TrainID]*booking.Train, error) {
	trains := make(map[booking.TrainID]*booking.Train, len(available))
	for _, t := range available {
		trains[t.ID] = nil
	}
	missing := len(trains)
	if missing == 0 {
		return trains, nil
	}
	for a, err := range c.Trains(ctx, query) {
		if err != nil {
			return nil, err
		}
		if found, wanted := trains[a.Train.ID]; !wanted || found != nil {
			continue
		}
		trains[a.Train.ID] = a.Train
		if missing--; missing == 0 {
			break
		}
	}
	return trains, nil
}
