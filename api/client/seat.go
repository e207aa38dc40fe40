package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"trainbooking.dev/booking"
)

// seatDoc is a seat of a hold or a booking.
type seatDoc struct {
	Number int `json:"seat_number"`
}

func numbersOf(seats []seatDoc) []int {
	numbers := make([]int, len(seats))
	for i, seat := range seats {
		numbers[i] = seat.Number
	}
	return numbers
}

// segmentDoc says where a segment begins and ends: places in the train's list of stops.
type segmentDoc struct {
	FromStop int `json:"from_stop"`
	ToStop   int `json:"to_stop"`
}

func (d segmentDoc) legs() (booking.Legs, error) {
	legs := booking.Segment(d.FromStop, d.ToStop)
	if legs == 0 {
		return 0, errors.New("no segment")
	}
	return legs, nil
}

// SeatMap returns the state of every seat on the segment, in order of number.
func (c *Client) SeatMap(ctx context.Context, id booking.TrainID, from, to string) ([]booking.Seat, error) {
	query := url.Values{}
	if from != "" {
		query.Set("from", from)
	}
	if to != "" {
		query.Set("to", to)
	}
	return ask(ctx, c, request{
		operation: "SeatMap", method: http.MethodGet, path: pathOf(id) + "/seats", query: query, anyone: true,
	}, func(seats []booking.Seat) ([]booking.Seat, error) {
		if len(seats) == 0 {
			return nil, errors.New("a train without seats")
		}
		return seats, nil
	})
}
