package api

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

// trainAnswer is a train under /v1; with figures where they were asked for.
type trainAnswer struct {
	ID        booking.TrainID `json:"id"`
	Name      string          `json:"name"`
	Capacity  int             `json:"capacity"`
	OnSale    bool            `json:"on_sale"`
	Stops     []booking.Stop  `json:"stops"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
	*figures
}

// figures add up to the capacity.
type figures struct {
	Booked    int `json:"booked"`
	Held      int `json:"held"`
	Available int `json:"available"`
}

func trainAnswerOf(t *booking.Train) trainAnswer {
	return trainAnswer{
		ID: t.ID, Name: t.Name, Capacity: t.Capacity, OnSale: t.OnSale, Stops: t.Stops,
		CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(),
	}
}

func availabilityAnswerOf(a booking.Availability) trainAnswer {
	train := trainAnswerOf(a.Train)
	train.figures = &figures{a.Booked, a.Held, a.Available}
	return train
}

func locationOf(id booking.TrainID) string { return "/v1/trains/" + id.String() }

// addTrainRequest is a train with two stops, as part 1 of API.md has it.
type addTrainRequest struct{ train booking.Train }

func (in *addTrainRequest) read(f *form) {
	train := booking.Train{
		Name: f.raw("train_name"),
		Stops: []booking.Stop{
			{Station: f.raw("source")},
			{Station: f.raw("destination")},
		},
		Capacity: f.whole("train_capacity", booking.MaxCapacity),
		OnSale:   true,
	}
	if booking.Fold(train.Stops[0].Station) == booking.Fold(train.Stops[1].Station) {
		f.fault("destination", "must not be the source")
	}
	clean, err := train.Clean()
	f.check(err, map[string]string{
		"name": "train_name", "capacity": "train_capacity",
		"stops[0].station": "source", "stops[1].station": "destination",
	})
	in.train = clean
}

func (s *Server) addTrain(ctx context.Context, c *call, in addTrainRequest) (answer, error) {
	train, err := s.create(ctx, c, in.train)
	if err != nil {
		return answer{}, err
	}
	return ok(struct {
		Message string          `json:"message"`
		TrainID booking.TrainID `json:"train_id"`
	}{"Train added successfully", train.ID}), nil
}

// trainRequest is a train as a client writes it.
type trainRequest struct{ train booking.Train }

func (in *trainRequest) read(f *form) {
	train := booking.Train{
		Name:     f.raw("name"),
		Capacity: f.whole("capacity", booking.MaxCapacity),
		OnSale:   f.truth("on_sale", true),
	}
	f.each("stops", func(stop *form) {
		train.Stops = append(train.Stops, booking.Stop{
			Station:   stop.raw("station"),
			ArrivesAt: stop.instant("arrives_at"),
			DepartsAt: stop.instant("departs_at"),
		})
	})
	clean, err := train.Clean()
	f.check(err, nil)
	in.train = clean
}

// createTrainRequest is a new train, under an id that the client chose or without one.
type createTrainRequest struct{ trainRequest }

func (in *createTrainRequest) read(f *form) {
	in.trainRequest.read(f)
	if !f.has("id") {
		return
	}
	in.train.ID = optional(f, "id", booking.ParseTrainID)
	f.needTrainID(in.train.ID)
}

func (s *Server) createTrain(ctx context.Context, c *call, in createTrainRequest) (answer, error) {
	train, err := s.create(ctx, c, in.train)
	if err != nil {
		return answer{}, err
	}
	return created(locationOf(train.ID), trainAnswerOf(&train)), nil
}

// create adds a train. With an Idempotency-Key the id follows from the request, so a
// retry of one that succeeded before its answer could be kept finds the train that it
// made: already_exists then means "done". Whoever chose the id itself is told
// already_exists, as that train may be another's.
func (s *Server) create(ctx context.Context, c *call, train booking.Train) (booking.Train, error) {
	if c.once == "" || train.ID != (booking.TrainID{}) {
		return s.service.CreateTrain(ctx, train)
	}
	train.ID = booking.DerivedTrainID(c.once)
	made, err := s.service.CreateTrain(ctx, train)
	if booking.CodeOf(err) != booking.CodeAlreadyExists {
		return made, err
	}
	there, err := s.service.FindTrain(ctx, train.ID)
	if err != nil {
		return booking.Train{}, err
	}
	return *there.Train, nil
}

type putTrainRequest struct{ trainRequest }

func (in *putTrainRequest) read(f *form) {
	in.trainRequest.read(f)
	in.train.ID = f.putTrain()
}

// putTrain reads the id that a client chose for a train: text that is no id names
// nothing, an id that no train can have is the client's mistake.
func (f *form) putTrain() booking.TrainID {
	id := fromPath(f, "id", "train", booking.ParseTrainID)
	if f.absent == nil {
		f.needTrainID(id)
	}
	return id
}

// needTrainID notes an id that no train can have; what could not be read is noted already.
func (f *form) needTrainID(id booking.TrainID) {
	if !id.Valid() {
		f.fault("id", "must be a UUID whose last 16 bits are zero, and not all zero")
	}
}

func (s *Server) putTrain(ctx context.Context, _ *call, in putTrainRequest) (answer, error) {
	train, isNew, err := s.service.PutTrain(ctx, in.train)
	if err != nil {
		return answer{}, err
	}
	if isNew {
		return created(locationOf(train.ID), trainAnswerOf(&train)), nil
	}
	return ok(trainAnswerOf(&train)), nil
}

type findTrainRequest struct{ id booking.TrainID }

func (in *findTrainRequest) read(f *form) { in.id = f.pathTrain() }

func (s *Server) findTrain(ctx context.Context, _ *call, in findTrainRequest) (answer, error) {
	found, err := s.service.FindTrain(ctx, in.id)
	if err != nil {
		return answer{}, err
	}
	return ok(availabilityAnswerOf(found)), nil
}

type deleteTrainRequest struct {
	id    booking.TrainID
	force bool
}

func (in *deleteTrainRequest) read(f *form) {
	in.id = f.pathTrain()
	in.force = f.truth("force", false)
}

func (s *Server) deleteTrain(ctx context.Context, _ *call, in deleteTrainRequest) (answer, error) {
	if err := s.service.DeleteTrain(ctx, in.id, in.force); err != nil {
		return answer{}, err
	}
	return noContent(), nil
}

type listTrainsRequest struct{ query booking.TrainQuery }

func (in *listTrainsRequest) read(f *form) {
	in.query = booking.TrainQuery{Date: f.date("date"), Page: f.page()}
	if !f.has("from") && !f.has("to") {
		if f.has("date") {
			f.fault("date", "needs from and to")
		}
		return
	}
	in.query.From, in.query.To = f.stations("from", "to")
}

// stations reads two stations that must differ.
func (f *form) stations(from, to string) (string, string) {
	a := f.text(from, 1, booking.MaxName)
	b := f.text(to, 1, booking.MaxName)
	if a != "" && booking.Fold(a) == booking.Fold(b) {
		f.fault(to, "must not be the same station as "+from)
	}
	return a, b
}

func (s *Server) listTrains(ctx context.Context, _ *call, in listTrainsRequest) (answer, error) {
	trains, err := s.service.ListTrains(ctx, in.query)
	if err != nil {
		return answer{}, err
	}
	return ok(listOf(trains, availabilityAnswerOf)), nil
}
