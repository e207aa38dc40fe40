package api

import (
	"context"

	"trainbooking.dev/booking"
)

type suggestStationsRequest struct{ prefix string }

func (in *suggestStationsRequest) decode(d *decoder) { in.prefix = d.text("q", booking.MaxName) }

func (s *Server) suggestStations(ctx context.Context, _ *call, in suggestStationsRequest) (response, error) {
	stations, err := s.service.SuggestStations(ctx, in.prefix)
	if err != nil {
		return response{}, err
	}
	return ok(struct {
		Items []booking.Station `json:"items"`
	}{stations}), nil
}
