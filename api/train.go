package api

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

// trainResponse is a train under /v1.
type trainResponse struct {
	ID           booking.TrainID `json:"id"`
	Name         string          `json:"name"`
	Capacity     int             `json:"capacity"`
	OnSale       bool            `json:"on_sale"`
	SalesOpenAt  time.Time       `json:"sales_open_at,omitzero"`
	Stops        []booking.Stop  `json:"stops"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	*departureOf                 // nil: omitted
	*seatCounts                  // nil: omitted
}

// departureOf is the schedule and the date of a departure.
type departureOf struct {
	Schedule booking.ScheduleID `json:"schedule_id"`
	Date     booking.Date       `json:"service_date"`
}

func newDepartureOf(t *booking.Train) *departureOf {
	schedule, date, _ := t.ID.Schedule()
	if t.Follows == 0 {
		return nil
	}
	return &departureOf{schedule, date}
}

// seatCounts add up to the capacity.
type seatCounts struct {
	Booked    int `json:"booked"`
	Held      int `json:"held"`
	Available int `json:"available"`
}

func newTrainResponse(t *booking.Train) trainResponse {
	return trainResponse{
		ID: t.ID, Name: t.Name, Capacity: t.Capacity, OnSale: t.OnSale, Stops: t.Stops,
		SalesOpenAt: t.SalesOpenAt.UTC(), CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(),
		departureOf: newDepartureOf(t),
	}
}

func newAvailabilityResponse(a booking.Availability) trainResponse {
	train := newTrainResponse(a.Train)
	train.seatCounts = &seatCounts{a.Booked, a.Held, a.Available}
	return train
}

func trainPath(id booking.TrainID) string { return "/v1/trains/" + id.String() }

// addTrainRequest is the request of add-train: a train with two stops.
type addTrainRequest struct{ train booking.Train }

func (in *addTrainRequest) decode(d *decoder) {
	train := booking.Train{
		Name: d.string("train_name"),
		Stops: []booking.Stop{
			{Station: d.string("source")},
			{Station: d.string("destination")},
		},
		Capacity: d.int("train_capacity", booking.MaxCapacity),
		OnSale:   true,
	}
	if booking.Fold(train.Stops[0].Station) == booking.Fold(train.Stops[1].Station) {
		d.fieldError("destination", "must not be the source")
	}
	clean, err := train.Clean()
	for _, err := range []error{err, train.CheckNames(nil)} {
		d.addErrors(err, map[string]string{
			"name": "train_name", "capacity": "train_capacity",
			"stops[0].station": "source", "stops[1].station": "destination",
		})
	}
	in.train = clean
}

func (s *Server) addTrain(ctx context.Context, c *call, in addTrainRequest) (response, error) {
	train, err := s.create(ctx, c, in.train)
	if err != nil {
		return response{}, err
	}
	return ok(struct {
		Message string          `json:"message"`
		TrainID booking.TrainID `json:"train_id"`
	}{"Train added successfully", train.ID}), nil
}

// trainRequest is the body of createTrain and putTrain.
type trainRequest struct{ train booking.Train }

func (in *trainRequest) decode(d *decoder) {
	train := booking.Train{
		Name:        d.string("name"),
		Capacity:    d.int("capacity", booking.MaxCapacity),
		OnSale:      d.bool("on_sale", true),
		SalesOpenAt: d.time("sales_open_at"),
	}
	d.objects("stops", func(stop *decoder) {
		train.Stops = append(train.Stops, booking.Stop{
			Station:   stop.string("station"),
			ArrivesAt: stop.time("arrives_at"),
			DepartsAt: stop.time("departs_at"),
		})
	})
	clean, err := train.Clean()
	d.addErrors(err, nil)
	in.train = clean
}

// createTrainRequest is a new train. The id is optional.
type createTrainRequest struct{ trainRequest }

func (in *createTrainRequest) decode(d *decoder) {
	in.trainRequest.decode(d)
	if !d.has("id") {
		return
	}
	in.train.ID = optionalID(d, "id", booking.ParseTrainID)
	d.checkTrainID(in.train.ID)
}

func (s *Server) createTrain(ctx context.Context, c *call, in createTrainRequest) (response, error) {
	train, err := s.create(ctx, c, in.train)
	if err != nil {
		return response{}, err
	}
	return created(trainPath(train.ID), newTrainResponse(&train)), nil
}

// create adds a train. With an Idempotency-Key and without an id of the client, the id is
// derived from the request. If an earlier attempt succeeded but its reply was not stored,
// the retry gets already_exists and returns the existing train. This process may learn of that
// train later: until then the retry is unavailable. If the client chose the id, already_exists
// is returned, because another client may have created that train.
func (s *Server) create(ctx context.Context, c *call, train booking.Train) (booking.Train, error) {
	if c.seed == "" || train.ID != (booking.TrainID{}) {
		return s.service.CreateTrain(ctx, train)
	}
	train.ID = booking.DerivedTrainID(c.seed)
	return addOnce(
		func() (booking.Train, error) { return s.service.CreateTrain(ctx, train) },
		func() (booking.Train, error) {
			existing, err := s.service.FindTrain(ctx, train.ID)
			if err != nil {
				return booking.Train{}, err
			}
			return *existing.Train, nil
		})
}

// addOnce adds something under an id that is derived from the request, or finds what an earlier attempt
// has added.
func addOnce[T any](add, find func() (T, error)) (T, error) {
	added, err := add()
	if booking.CodeOf(err) != booking.CodeAlreadyExists {
		return added, err
	}
	existing, err := find()
	if booking.CodeOf(err) == booking.CodeNotFound {
		err = booking.Unavailable(booking.OutcomeUnknown, time.Second, err)
	}
	return existing, err
}

type putTrainRequest struct{ trainRequest }

func (in *putTrainRequest) decode(d *decoder) {
	in.trainRequest.decode(d)
	in.train.ID = d.pathNewTrainID()
}

// pathNewTrainID decodes the id in the path of putTrain, which may be new. Text that is not
// an id is not_found; an id that no train can have is an invalid field.
func (d *decoder) pathNewTrainID() booking.TrainID {
	id := pathID(d, "id", "train", booking.ParseTrainID)
	if d.notFound == nil {
		d.checkTrainID(id)
	}
	return id
}

// checkTrainID records an error for an id that no train can have.
func (d *decoder) checkTrainID(id booking.TrainID) {
	if !id.Valid() {
		d.fieldError("id", "must be a UUID whose last 16 bits are zero, and not all zero")
	}
}

func (s *Server) putTrain(ctx context.Context, _ *call, in putTrainRequest) (response, error) {
	train, isNew, err := s.service.PutTrain(ctx, in.train)
	if err != nil {
		return response{}, err
	}
	if isNew {
		return created(trainPath(train.ID), newTrainResponse(&train)), nil
	}
	return ok(newTrainResponse(&train)), nil
}

type findTrainRequest struct{ id booking.TrainID }

func (in *findTrainRequest) decode(d *decoder) { in.id = d.pathTrainID() }

func (s *Server) findTrain(ctx context.Context, _ *call, in findTrainRequest) (response, error) {
	found, err := s.service.FindTrain(ctx, in.id)
	if err != nil {
		return response{}, err
	}
	return ok(newAvailabilityResponse(found)), nil
}

type deleteTrainRequest struct {
	id    booking.TrainID
	force bool
}

func (in *deleteTrainRequest) decode(d *decoder) {
	in.id = d.pathTrainID()
	in.force = d.bool("force", false)
}

func (s *Server) deleteTrain(ctx context.Context, _ *call, in deleteTrainRequest) (response, error) {
	if err := s.service.DeleteTrain(ctx, in.id, in.force); err != nil {
		return response{}, err
	}
	return noContent(), nil
}

type listTrainsRequest struct {
	query booking.TrainQuery
	page  pageRequest
}

func (in *listTrainsRequest) decode(d *decoder) {
	in.query = booking.TrainQuery{Date: d.date("date"), Departed: d.bool("departed", false)}
	switch {
	case d.has("from") || d.has("to"):
		in.query.From, in.query.To = d.stations("from", "to")
	case d.has("date"):
		d.fieldError("date", "needs from and to")
	}
	in.page = d.page(in.query.List())
	in.query.Page = in.page.PageRequest
}

// stations decodes two different stations.
func (d *decoder) stations(from, to string) (string, string) {
	a := d.text(from, booking.MaxName)
	b := d.text(to, booking.MaxName)
	if a != "" && booking.Fold(a) == booking.Fold(b) {
		d.fieldError(to, "must not be the same station as "+from)
	}
	return a, b
}

func (s *Server) listTrains(ctx context.Context, _ *call, in listTrainsRequest) (response, error) {
	trains, err := s.service.ListTrains(ctx, in.query)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, in.page, trains, newAvailabilityResponse)
}
