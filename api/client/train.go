package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// trainRequest is the body of CreateTrain and PutTrain.
type trainRequest struct {
	ID          *booking.TrainID `json:"id,omitempty"` // nil if the path has the id
	Name        string           `json:"name"`
	Capacity    int              `json:"capacity"`
	OnSale      bool             `json:"on_sale"`
	SalesOpenAt time.Time        `json:"sales_open_at,omitzero"`
	Stops       []booking.Stop   `json:"stops"`
}

func newTrainRequest(t booking.Train) trainRequest {
	stops := t.Stops
	if stops == nil {
		stops = []booking.Stop{} // the server expects an array
	}
	return trainRequest{Name: t.Name, Capacity: t.Capacity, OnSale: t.OnSale, SalesOpenAt: t.SalesOpenAt, Stops: stops}
}

// trainJSON is a train in a response. The seat counts are 0 if the response has none.
type trainJSON struct {
	ID          booking.TrainID `json:"id"`
	Name        string          `json:"name"`
	Capacity    int             `json:"capacity"`
	OnSale      bool            `json:"on_sale"`
	SalesOpenAt time.Time       `json:"sales_open_at"`
	Stops       []booking.Stop  `json:"stops"`
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
	Booked      int             `json:"booked"`
	Held        int             `json:"held"`
	Available   int             `json:"available"`
}

// train returns the train if its JSON has what the methods of booking.Train rely on.
func (t trainJSON) train() (booking.Train, error) {
	if !t.ID.Valid() || t.Capacity < 1 || len(t.Stops) < booking.MinStops || len(t.Stops) > booking.MaxStops {
		return booking.Train{}, fmt.Errorf("not a train: id %s, capacity %d, %d stops", t.ID, t.Capacity, len(t.Stops))
	}
	return booking.Train{
		ID: t.ID, Name: t.Name, Capacity: t.Capacity, Stops: t.Stops, OnSale: t.OnSale,
		SalesOpenAt: t.SalesOpenAt.UTC(), CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(),
	}, nil
}

// availability returns the train with its seat counts on the segment, or on the whole route
// if from and to are "".
func (t trainJSON) availability(from, to string) (booking.Availability, error) {
	train, err := t.train()
	if err != nil {
		return booking.Availability{}, err
	}
	segment, err := train.Segment(from, to)
	if err != nil { // the stops have changed since the response
		segment = train.Run()
	}
	tally := booking.Tally{Booked: t.Booked, Held: t.Held, Available: t.Available}
	return booking.Availability{Train: &train, Segment: segment, Tally: tally}, nil
}

func trainPath(id booking.TrainID) string { return "/v1/trains/" + id.String() }

// CreateTrain adds a train; see booking.Trains. After outcome unknown, the same call returns
// already_exists if the first one created the train. Without an id, each call creates
// another train.
func (c *Client) CreateTrain(ctx context.Context, train booking.Train) (booking.Train, error) {
	body, key := newTrainRequest(train), ""
	if train.ID == (booking.TrainID{}) {
		key = uuid.NewString() // net/http may retry the request
	} else {
		body.ID = &train.ID
	}
	return do(ctx, c, request{
		operation: "CreateTrain", method: http.MethodPost, path: "/v1/trains",
		body: body, key: key, success: []int{http.StatusCreated},
	}, trainJSON.train)
}

// PutTrain creates or changes a train; see booking.Trains. It is idempotent, but only the
// first of two equal calls returns created.
func (c *Client) PutTrain(ctx context.Context, train booking.Train) (_ booking.Train, created bool, err error) {
	return put(ctx, c, request{
		operation: "PutTrain", path: trainPath(train.ID), body: newTrainRequest(train),
	}, trainJSON.train)
}

// DeleteTrain deletes a train; see booking.Trains. After outcome unknown, the same call
// returns not_found if the first one deleted the train.
func (c *Client) DeleteTrain(ctx context.Context, id booking.TrainID, force bool) error {
	query := url.Values{}
	if force {
		query.Set("force", "true")
	}
	return c.send(ctx, request{
		operation: "DeleteTrain", method: http.MethodDelete, path: trainPath(id), query: query,
		success: []int{http.StatusNoContent},
	}, nil)
}

// FindTrain returns one train with its seat counts on its whole route.
func (c *Client) FindTrain(ctx context.Context, id booking.TrainID) (booking.Availability, error) {
	return do(ctx, c, request{
		operation: "FindTrain", method: http.MethodGet, path: trainPath(id), public: true,
	}, func(t trainJSON) (booking.Availability, error) { return t.availability("", "") })
}

// ListTrains returns the trains that match; see booking.Trains. More than
// booking.MaxPageLimit trains take several requests; Trains iterates over them without
// loading all.
func (c *Client) ListTrains(
	ctx context.Context, query booking.TrainQuery,
) (booking.Page[booking.Availability], error) {
	return fetchList(ctx, query.Page, c.trainPages(query))
}

// Trains iterates over the trains that match query, in its order, from query.Page.After to
// the end. It requests query.Page.Limit trains at a time (0: booking.DefaultPageLimit), each
// page only when it is needed. It stops after it yields an error of ListTrains. Each range
// loop over the result starts again at query.Page.After.
func (c *Client) Trains(ctx context.Context, query booking.TrainQuery) iter.Seq2[booking.Availability, error] {
	return fetchEach(ctx, query.Page, c.trainPages(query))
}

func (c *Client) trainPages(query booking.TrainQuery) fetchPage[booking.Availability] {
	convert := pageOf(query.List(), func(t trainJSON) (booking.Availability, error) {
		return t.availability(query.From, query.To)
	})
	return func(ctx context.Context, page booking.PageRequest) (booking.Page[booking.Availability], error) {
		if sameStation(query.From, query.To) {
			return booking.Page[booking.Availability]{Items: []booking.Availability{}}, nil
		}
		values := url.Values{}
		if query.From != "" {
			values.Set("from", query.From)
		}
		if query.To != "" {
			values.Set("to", query.To)
		}
		if !query.Date.IsZero() {
			values.Set("date", query.Date.Format(time.DateOnly))
		}
		if query.Departed {
			values.Set("departed", "true")
		}
		return do(ctx, c, request{
			operation: "ListTrains", method: http.MethodGet, path: "/v1/trains",
			query: pageQuery(values, query.List(), page), public: true,
		}, convert)
	}
}

// sameStation reports whether from and to are the same station. The domain returns an empty
// list for it, but the API an error.
func sameStation(from, to string) bool { return from != "" && booking.Fold(from) == booking.Fold(to) }
