package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"trainbooking.dev/booking"
)

// seatJSON is a seat of a hold or a booking in a response.
type seatJSON struct {
	Number int `json:"seat_number"`
}

func seatNumbers(seats []seatJSON) []int {
	numbers := make([]int, len(seats))
	for i, seat := range seats {
		numbers[i] = seat.Number
	}
	return numbers
}

// segmentJSON is a segment as two positions in the train's list of stops.
type segmentJSON struct {
	FromStop int `json:"from_stop"`
	ToStop   int `json:"to_stop"`
}

func (s segmentJSON) legs() (booking.Legs, error) {
	legs := booking.Segment(s.FromStop, s.ToStop)
	if legs == 0 {
		return 0, errors.New("not a segment")
	}
	return legs, nil
}

// SeatMap returns the state of every seat on the segment, ordered by number.
func (c *Client) SeatMap(ctx context.Context, id booking.TrainID, from, to string) ([]booking.Seat, error) {
	query := url.Values{}
	if from != "" {
		query.Set("from", from)
	}
	if to != "" {
		query.Set("to", to)
	}
	return do(ctx, c, request{
		operation: "SeatMap", method: http.MethodGet, path: trainPath(id) + "/seats", query: query, public: true,
	}, func(seats []booking.Seat) ([]booking.Seat, error) {
		if len(seats) == 0 {
			return nil, errors.New("a train without seats")
		}
		return seats, nil
	})
}
