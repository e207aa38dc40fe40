package api

import (
	"context"

	"trainbooking.dev/booking"
)

// seatResponse is a seat of a hold or a booking.
type seatResponse struct {
	SeatID     booking.SeatID `json:"seat_id"`
	SeatNumber int            `json:"seat_number"`
}

func newSeatResponses(train booking.TrainID, numbers []int) []seatResponse {
	seats := make([]seatResponse, len(numbers))
	for i, n := range numbers {
		seats[i] = seatResponse{train.Seat(n), n}
	}
	return seats
}

// segmentResponse is a segment as two positions in the train's list of stops, from 0.
type segmentResponse struct {
	FromStop int `json:"from_stop"`
	ToStop   int `json:"to_stop"`
}

func newSegmentResponse(legs booking.Legs) segmentResponse {
	from, to := legs.Bounds()
	return segmentResponse{from, to}
}

type seatMapRequest struct {
	id       booking.TrainID
	from, to string
}

func (in *seatMapRequest) decode(d *decoder) {
	in.id = d.pathTrainID()
	in.from, in.to = d.segment()
}

// segment decodes the stations from and to. Both are optional.
func (d *decoder) segment() (from, to string) {
	return d.optionalText("from", booking.MaxName), d.optionalText("to", booking.MaxName)
}

func (s *Server) seatMap(ctx context.Context, _ *call, in seatMapRequest) (response, error) {
	seats, err := s.service.SeatMap(ctx, in.id, in.from, in.to)
	if err != nil {
		return response{}, err
	}
	return s.okMany(ctx, len(seats), func() []byte { return encode(seats) })
}
