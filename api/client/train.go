package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// newTrain is a train as a client writes it.
type newTrain struct {
	ID       *booking.TrainID `json:"id,omitempty"` // nil where the path has it
	Name     string           `json:"name"`
	Capacity int              `json:"capacity"`
	OnSale   bool             `json:"on_sale"`
	Stops    []booking.Stop   `json:"stops"`
}

func newTrainOf(t booking.Train) newTrain {
	stops := t.Stops
	if stops == nil {
		stops = []booking.Stop{} // too few, and not null
	}
	return newTrain{Name: t.Name, Capacity: t.Capacity, OnSale: t.OnSale, Stops: stops}
}

// trainDoc is a train as the API shows it; the figures are 0 where none were asked for.
type trainDoc struct {
	ID        booking.TrainID `json:"id"`
	Name      string          `json:"name"`
	Capacity  int             `json:"capacity"`
	OnSale    bool            `json:"on_sale"`
	Stops     []booking.Stop  `json:"stops"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
	Booked    int             `json:"booked"`
	Held      int             `json:"held"`
	Available int             `json:"available"`
}

// train returns the train, if it is one: the domain's methods rely on it.
func (d trainDoc) train() (booking.Train, error) {
	if !d.ID.Valid() || d.Capacity < 1 || len(d.Stops) < booking.MinStops || len(d.Stops) > booking.MaxStops {
		return booking.Train{}, fmt.Errorf("no train: id %s, capacity %d, %d stops", d.ID, d.Capacity, len(d.Stops))
	}
	return booking.Train{
		ID: d.ID, Name: d.Name, Capacity: d.Capacity, Stops: d.Stops, OnSale: d.OnSale,
		CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(),
	}, nil
}

// availability is the train with its figures over the segment asked for, or over its run
// where that was none.
func (d trainDoc) availability(from, to string) (booking.Availability, error) {
	train, err := d.train()
	if err != nil {
		return booking.Availability{}, err
	}
	segment, err := train.Segment(from, to)
	if err != nil { // its stops have changed since it was listed
		segment = train.Run()
	}
	tally := booking.Tally{Booked: d.Booked, Held: d.Held, Available: d.Available}
	return booking.Availability{Train: &train, Segment: segment, Tally: tally}, nil
}

func pathOf(id booking.TrainID) string { return "/v1/trains/" + id.String() }

// CreateTrain adds a train, see booking.Trains. After outcome unknown, the same train with
// the same id is already_exists if the first call made it. Without an id each call makes
// another train.
func (c *Client) CreateTrain(ctx context.Context, train booking.Train) (booking.Train, error) {
	body, key := newTrainOf(train), ""
	if train.ID == (booking.TrainID{}) {
		key = uuid.NewString() // net/http may repeat it
	} else {
		body.ID = &train.ID
	}
	return ask(ctx, c, request{
		operation: "CreateTrain", method: http.MethodPost, path: "/v1/trains",
		body: body, key: key, success: []int{http.StatusCreated},
	}, trainDoc.train)
}

// PutTrain creates or changes a train, see booking.Trains. Idempotent; of two calls, the
// second of which is a repetition, only the first says created.
func (c *Client) PutTrain(ctx context.Context, train booking.Train) (put booking.Train, created bool, err error) {
	err = c.send(ctx, request{
		operation: "PutTrain", method: http.MethodPut, path: pathOf(train.ID),
		body: newTrainOf(train), success: []int{http.StatusOK, http.StatusCreated},
	}, func(got reply) (err error) {
		var doc trainDoc
		if err = json.Unmarshal(got.body, &doc); err == nil {
			put, err = doc.train()
		}
		created = got.status == http.StatusCreated
		return err
	})
	if err != nil {
		return booking.Train{}, false, err
	}
	return put, created, nil
}

// DeleteTrain takes a train off every list, see booking.Trains. After outcome unknown the
// same call is not_found if the first did it.
func (c *Client) DeleteTrain(ctx context.Context, id booking.TrainID, force bool) error {
	query := url.Values{}
	if force {
		query.Set("force", "true")
	}
	return c.send(ctx, request{
		operation: "DeleteTrain", method: http.MethodDelete, path: pathOf(id), query: query,
		success: []int{http.StatusNoContent},
	}, nil)
}

// FindTrain returns one train with its figures over its whole run.
func (c *Client) FindTrain(ctx context.Context, id booking.TrainID) (booking.Availability, error) {
	return ask(ctx, c, request{
		operation: "FindTrain", method: http.MethodGet, path: pathOf(id), anyone: true,
	}, func(doc trainDoc) (booking.Availability, error) { return doc.availability("", "") })
}

// ListTrains returns the trains that match, oldest first; see booking.Trains. More than
// booking.MaxPageLimit of them, or all of them, take several requests; Trains goes through
// them without keeping all.
func (c *Client) ListTrains(
	ctx context.Context, query booking.TrainQuery,
) (booking.Page[booking.Availability], error) {
	return paged(ctx, query.Page, c.trainPages(query))
}

// Trains goes through the trains that match query, oldest first, from query.Page.After to
// the last. A request fetches query.Page.Limit of them (0: booking.DefaultPageLimit) when
// they are needed, so whoever stops early asks for no more. An error, as of ListTrains, is
// the last that it yields. It can be ranged over again, from the start.
func (c *Client) Trains(ctx context.Context, query booking.TrainQuery) iter.Seq2[booking.Availability, error] {
	return each(ctx, query.Page, c.trainPages(query))
}

func (c *Client) trainPages(query booking.TrainQuery) fetch[booking.Availability] {
	shape := pageOf(func(doc trainDoc) (booking.Availability, error) {
		return doc.availability(query.From, query.To)
	})
	return func(ctx context.Context, page booking.PageRequest) (booking.Page[booking.Availability], error) {
		if nowhere(query.From, query.To) {
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
		return ask(ctx, c, request{
			operation: "ListTrains", method: http.MethodGet, path: "/v1/trains",
			query: window(values, page), anyone: true,
		}, shape)
	}
}

// nowhere reports whether both are one station. Nothing runs there: an empty list to the
// domain, a mistake of the client's to the API.
func nowhere(from, to string) bool { return from != "" && booking.Fold(from) == booking.Fold(to) }
