package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"trainbooking.dev/booking"
)

// stationsJSON is the response of /v1/stations.
type stationsJSON struct {
	Items []booking.Station `json:"items"`
}

// SuggestStations returns the stations whose names begin with prefix; see booking.Trains.
func (c *Client) SuggestStations(ctx context.Context, prefix string) ([]booking.Station, error) {
	return do(ctx, c, request{
		operation: "SuggestStations", method: http.MethodGet, path: "/v1/stations",
		query: url.Values{"q": {prefix}}, public: true,
	}, func(stations stationsJSON) ([]booking.Station, error) {
		if stations.Items == nil {
			return nil, errors.New("not a list")
		}
		return stations.Items, nil
	})
}
