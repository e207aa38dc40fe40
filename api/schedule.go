package api

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

// scheduleResponse is a schedule.
type scheduleResponse struct {
	ID               booking.ScheduleID  `json:"id"`
	Name             string              `json:"name"`
	Capacity         int                 `json:"capacity"`
	OnSale           bool                `json:"on_sale"`
	TimeZone         string              `json:"time_zone"`
	Days             []string            `json:"days"`
	From             booking.Date        `json:"from"`
	Until            booking.Date        `json:"until"`
	Exceptions       []booking.Exception `json:"exceptions"`
	SoldDaysAhead    int                 `json:"sold_days_ahead"`
	Stops            []booking.StopTime  `json:"stops"`
	CreatedAt        time.Time           `json:"created_at"`
	UpdatedAt        time.Time           `json:"updated_at"`
	*scheduleFigures                     // nil: omitted
}

// scheduleFigures are the state of the departures of a schedule.
type scheduleFigures struct {
	NextDeparture       booking.Date     `json:"next_departure,omitzero"`
	SoldUntil           booking.Date     `json:"sold_until,omitzero"`
	DeparturesWithSales int              `json:"departures_with_sales"`
	Diverged            divergedResponse `json:"diverged"`
}

// divergedResponse has the first booking.MaxDiverged dates.
type divergedResponse struct {
	Count int            `json:"count"`
	Dates []booking.Date `json:"dates"`
}

func newScheduleResponse(s *booking.Schedule) scheduleResponse {
	exceptions := s.Exceptions
	if exceptions == nil {
		exceptions = []booking.Exception{}
	}
	return scheduleResponse{
		ID: s.ID, Name: s.Name, Capacity: s.Capacity, OnSale: s.OnSale, TimeZone: s.TimeZone, Days: s.Days.Names(),
		From: s.From, Until: s.Until, Exceptions: exceptions, SoldDaysAhead: s.SoldDaysAhead, Stops: s.Stops,
		CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
}

func newScheduleStatusResponse(s booking.ScheduleStatus) scheduleResponse {
	response := newScheduleResponse(s.Schedule)
	dates := s.Diverged
	if dates == nil {
		dates = []booking.Date{}
	}
	response.scheduleFigures = &scheduleFigures{s.Next, s.SoldUntil, s.Booked, divergedResponse{s.DivergedCount, dates}}
	return response
}

func schedulePath(id booking.ScheduleID) string { return "/v1/schedules/" + id.String() }

// scheduleRequest is the body of createSchedule and putSchedule.
type scheduleRequest struct{ schedule booking.Schedule }

func (in *scheduleRequest) decode(d *decoder) {
	schedule := booking.Schedule{
		Name:     d.string("name"),
		Capacity: d.int("capacity", booking.MaxCapacity),
		OnSale:   d.bool("on_sale", true),
		TimeZone: d.string("time_zone"),
		Calendar: booking.Calendar{
			Days: d.weekdays("days"), From: d.serviceDate("from"), Until: d.serviceDate("until"),
		},
		SoldDaysAhead: d.intFrom0("sold_days_ahead", booking.MaxSoldDaysAhead, booking.DefaultSoldDaysAhead),
	}
	if d.has("exceptions") {
		d.objects("exceptions", func(e *decoder) {
			e.required("runs")
			schedule.Exceptions = append(schedule.Exceptions, booking.Exception{
				Date: e.serviceDate("date"), Runs: e.bool("runs", false),
			})
		})
	}
	d.objects("stops", func(stop *decoder) {
		zone, _ := stop.optionalString("time_zone")
		schedule.Stops = append(schedule.Stops, booking.StopTime{
			Station: stop.string("station"), Arrives: stop.localTime("arrives"), Departs: stop.localTime("departs"), TimeZone: zone,
		})
	})
	clean, err := schedule.Clean()
	d.addErrors(err, nil)
	in.schedule = clean
}

// weekdays decodes a required array of days.
func (d *decoder) weekdays(name string) booking.Weekdays {
	value, given := d.required(name)
	elements, ok := value.([]any)
	if !ok && given {
		d.fieldError(name, "must be an array of days")
	}
	days := make([]string, len(elements))
	for i, element := range elements {
		days[i], _ = element.(string)
	}
	set, err := booking.ParseWeekdays(days)
	if err != nil {
		d.fieldError(name, err.Error())
	}
	return set
}

// serviceDate decodes a required date.
func (d *decoder) serviceDate(name string) booking.Date {
	d.required(name)
	return d.optionalServiceDate(name, 0)
}

// optionalServiceDate decodes a date. It returns fallback if the field is missing.
func (d *decoder) optionalServiceDate(name string, fallback booking.Date) booking.Date {
	text, given := d.optionalString(name)
	if !given {
		return fallback
	}
	date, err := booking.ParseDate(text)
	if err != nil {
		d.fieldError(name, err.Error())
	}
	return date
}

// localTime decodes an optional time of a service day.
func (d *decoder) localTime(name string) booking.LocalTime {
	text, given := d.optionalString(name)
	if !given {
		return booking.LocalTime{}
	}
	at, err := booking.ParseLocalTime(text)
	if err != nil {
		d.fieldError(name, err.Error())
	}
	return at
}

// createScheduleRequest is a new schedule. The id is optional.
type createScheduleRequest struct{ scheduleRequest }

func (in *createScheduleRequest) decode(d *decoder) {
	in.scheduleRequest.decode(d)
	if !d.has("id") {
		return
	}
	in.schedule.ID = optionalID(d, "id", booking.ParseScheduleID)
	d.checkScheduleID(in.schedule.ID)
}

// checkScheduleID records an error for an id that no schedule can have.
func (d *decoder) checkScheduleID(id booking.ScheduleID) {
	if !id.Valid() {
		d.fieldError("id", "must be a UUID whose last 8 digits are 0, and not all zero")
	}
}

func (s *Server) createSchedule(ctx context.Context, c *call, in createScheduleRequest) (response, error) {
	schedule, err := s.addSchedule(ctx, c, in.schedule)
	if err != nil {
		return response{}, err
	}
	return created(schedulePath(schedule.ID), newScheduleResponse(&schedule)), nil
}

// addSchedule adds a schedule, as create does a train: with an Idempotency-Key, the id follows from the
// request, and a retry returns the schedule that the first attempt added.
func (s *Server) addSchedule(ctx context.Context, c *call, schedule booking.Schedule) (booking.Schedule, error) {
	if c.seed == "" || schedule.ID != (booking.ScheduleID{}) {
		return s.service.CreateSchedule(ctx, schedule)
	}
	schedule.ID = booking.DerivedScheduleID(c.seed)
	return addOnce(
		func() (booking.Schedule, error) { return s.service.CreateSchedule(ctx, schedule) },
		func() (booking.Schedule, error) {
			existing, err := s.service.FindSchedule(ctx, schedule.ID)
			if err != nil {
				return booking.Schedule{}, err
			}
			return *existing.Schedule, nil
		})
}

type putScheduleRequest struct{ scheduleRequest }

func (in *putScheduleRequest) decode(d *decoder) {
	in.scheduleRequest.decode(d)
	in.schedule.ID = pathID(d, "id", "schedule", booking.ParseScheduleID)
	if d.notFound == nil {
		d.checkScheduleID(in.schedule.ID)
	}
}

func (s *Server) putSchedule(ctx context.Context, _ *call, in putScheduleRequest) (response, error) {
	schedule, isNew, err := s.service.PutSchedule(ctx, in.schedule)
	if err != nil {
		return response{}, err
	}
	if isNew {
		return created(schedulePath(schedule.ID), newScheduleResponse(&schedule)), nil
	}
	return ok(newScheduleResponse(&schedule)), nil
}

// pathScheduleID decodes the id of a schedule in the path.
func (d *decoder) pathScheduleID() booking.ScheduleID {
	id := pathID(d, "id", "schedule", booking.ParseScheduleID)
	if !id.Valid() {
		d.notFound = booking.NotFound("schedule")
	}
	return id
}

type findScheduleRequest struct{ id booking.ScheduleID }

func (in *findScheduleRequest) decode(d *decoder) { in.id = d.pathScheduleID() }

func (s *Server) findSchedule(ctx context.Context, _ *call, in findScheduleRequest) (response, error) {
	found, err := s.service.FindSchedule(ctx, in.id)
	if err != nil {
		return response{}, err
	}
	return ok(newScheduleStatusResponse(found)), nil
}

type deleteScheduleRequest struct {
	id   booking.ScheduleID
	mode booking.ScheduleDeletion
}

func (in *deleteScheduleRequest) decode(d *decoder) {
	in.id = d.pathScheduleID()
	force, retain := d.bool("force", false), d.bool("retain", false)
	switch {
	case force && retain:
		d.fieldError("retain", "must not be given with force: it keeps the bookings that force cancels")
	case force:
		in.mode = booking.CancelBooked
	case retain:
		in.mode = booking.RetainBooked
	}
}

func (s *Server) deleteSchedule(ctx context.Context, _ *call, in deleteScheduleRequest) (response, error) {
	if err := s.service.DeleteSchedule(ctx, in.id, in.mode); err != nil {
		return response{}, err
	}
	return noContent(), nil
}

type listSchedulesRequest struct{ page pageRequest }

func (in *listSchedulesRequest) decode(d *decoder) { in.page = d.page(booking.ListSchedules) }

func (s *Server) listSchedules(ctx context.Context, _ *call, in listSchedulesRequest) (response, error) {
	schedules, err := s.service.ListSchedules(ctx, in.page.PageRequest)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, in.page, schedules, newScheduleStatusResponse)
}

type listDeparturesRequest struct {
	id       booking.ScheduleID
	from, to booking.Date
	page     pageRequest
}

func (in *listDeparturesRequest) decode(d *decoder) {
	in.id = d.pathScheduleID()
	in.from = d.optionalServiceDate("from", 0)
	in.to = d.optionalServiceDate("to", booking.LastDate)
	if d.has("from") && d.has("to") && in.to < in.from {
		d.fieldError("to", "must not be before from")
	}
	in.page = d.page(booking.ListServiceDays)
}

// departureResponse is a departure of a schedule.
type departureResponse struct {
	Date      booking.Date  `json:"date"`
	Diverged  bool          `json:"diverged"`
	Cancelled bool          `json:"cancelled"`
	Train     trainResponse `json:"train"` // without figures if it is cancelled
}

func newDepartureResponse(d booking.DepartureStatus) departureResponse {
	departure := departureResponse{Date: d.Date, Diverged: d.Diverged, Cancelled: d.Cancelled}
	if d.Cancelled {
		departure.Train = newTrainResponse(d.Train)
	} else {
		departure.Train = newAvailabilityResponse(d.Availability)
	}
	return departure
}

func (s *Server) listDepartures(ctx context.Context, _ *call, in listDeparturesRequest) (response, error) {
	departures, err := s.service.ListDepartures(ctx, in.id, in.from, in.to, in.page.PageRequest)
	if err != nil {
		return response{}, err
	}
	return list(ctx, s, in.page, departures, newDepartureResponse)
}
