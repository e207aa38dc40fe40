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

// scheduleRequest is the body of CreateSchedule and PutSchedule.
type scheduleRequest struct {
	ID            *booking.ScheduleID `json:"id,omitempty"` // nil if the path has the id
	Name          string              `json:"name"`
	Capacity      int                 `json:"capacity"`
	OnSale        bool                `json:"on_sale"`
	TimeZone      string              `json:"time_zone"`
	Days          []string            `json:"days"`
	From          booking.Date        `json:"from"`
	Until         booking.Date        `json:"until"`
	Exceptions    []booking.Exception `json:"exceptions"`
	SoldDaysAhead int                 `json:"sold_days_ahead"`
	Stops         []booking.StopTime  `json:"stops"`
}

func newScheduleRequest(s booking.Schedule) scheduleRequest {
	request := scheduleRequest{
		Name: s.Name, Capacity: s.Capacity, OnSale: s.OnSale, TimeZone: s.TimeZone, Days: s.Days.Names(),
		From: s.From, Until: s.Until, Exceptions: s.Exceptions, SoldDaysAhead: s.SoldDaysAhead, Stops: s.Stops,
	}
	if request.Exceptions == nil {
		request.Exceptions = []booking.Exception{} // the server expects arrays
	}
	if request.Stops == nil {
		request.Stops = []booking.StopTime{}
	}
	return request
}

// scheduleJSON is a schedule in a response. The figures are zero if the response has none.
type scheduleJSON struct {
	scheduleRequest
	ID            booking.ScheduleID `json:"id"`
	CreatedAt     time.Time          `json:"created_at"`
	UpdatedAt     time.Time          `json:"updated_at"`
	NextDeparture booking.Date       `json:"next_departure"`
	SoldUntil     booking.Date       `json:"sold_until"`
	WithSales     int                `json:"departures_with_sales"`
	Diverged      struct {
		Count int            `json:"count"`
		Dates []booking.Date `json:"dates"`
	} `json:"diverged"`
}

// schedule returns the schedule if its JSON has what the methods of booking.Schedule rely on.
func (s scheduleJSON) schedule() (booking.Schedule, error) {
	days, err := booking.ParseWeekdays(s.Days)
	if err != nil || !s.ID.Valid() || s.Capacity < 1 || len(s.Stops) < booking.MinStops || len(s.Stops) > booking.MaxStops {
		return booking.Schedule{}, fmt.Errorf("not a schedule: id %s, capacity %d, %d stops", s.ID, s.Capacity, len(s.Stops))
	}
	schedule := booking.Schedule{
		ID: s.ID, Name: s.Name, Capacity: s.Capacity, OnSale: s.OnSale, TimeZone: s.TimeZone,
		Calendar:      booking.Calendar{Days: days, From: s.From, Until: s.Until},
		SoldDaysAhead: s.SoldDaysAhead, Stops: s.Stops, CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
	if len(s.Exceptions) > 0 {
		schedule.Exceptions = s.Exceptions
	}
	return schedule, nil
}

func (s scheduleJSON) status() (booking.ScheduleStatus, error) {
	schedule, err := s.schedule()
	status := booking.ScheduleStatus{
		Schedule: &schedule, Next: s.NextDeparture, SoldUntil: s.SoldUntil, Booked: s.WithSales, DivergedCount: s.Diverged.Count,
	}
	if len(s.Diverged.Dates) > 0 {
		status.Diverged = s.Diverged.Dates
	}
	return status, err
}

// departureJSON is a departure in a response.
type departureJSON struct {
	Date      booking.Date `json:"date"`
	Diverged  bool         `json:"diverged"`
	Cancelled bool         `json:"cancelled"`
	Train     trainJSON    `json:"train"`
}

func (d departureJSON) departure() (booking.DepartureStatus, error) {
	train, err := d.Train.availability("", "")
	return booking.DepartureStatus{Date: d.Date, Availability: train, Diverged: d.Diverged, Cancelled: d.Cancelled}, err
}

func schedulePath(id booking.ScheduleID) string { return "/v1/schedules/" + id.String() }

// CreateSchedule adds a schedule; see booking.Schedules. It is repeated as CreateTrain.
func (c *Client) CreateSchedule(ctx context.Context, schedule booking.Schedule) (booking.Schedule, error) {
	body, key := newScheduleRequest(schedule), ""
	if schedule.ID == (booking.ScheduleID{}) {
		key = uuid.NewString() // net/http may retry the request
	} else {
		body.ID = &schedule.ID
	}
	return do(ctx, c, request{
		operation: "CreateSchedule", method: http.MethodPost, path: "/v1/schedules",
		body: body, key: key, success: []int{http.StatusCreated},
	}, scheduleJSON.schedule)
}

// PutSchedule creates or changes a schedule; see booking.Schedules. It is idempotent, but only the first of
// two equal calls returns created.
func (c *Client) PutSchedule(
	ctx context.Context, schedule booking.Schedule,
) (_ booking.Schedule, created bool, err error) {
	return put(ctx, c, request{
		operation: "PutSchedule", path: schedulePath(schedule.ID), body: newScheduleRequest(schedule),
	}, scheduleJSON.schedule)
}

// DeleteSchedule deletes a schedule; see booking.Schedules. After outcome unknown, the same call returns
// not_found if the first one deleted it.
func (c *Client) DeleteSchedule(ctx context.Context, id booking.ScheduleID, mode booking.ScheduleDeletion) error {
	query := url.Values{}
	switch mode {
	case booking.RefuseBooked:
	case booking.RetainBooked:
		query.Set("retain", "true")
	case booking.CancelBooked:
		query.Set("force", "true")
	}
	return c.send(ctx, request{
		operation: "DeleteSchedule", method: http.MethodDelete, path: schedulePath(id), query: query,
		success: []int{http.StatusNoContent},
	}, nil)
}

// FindSchedule returns a schedule and the state of its departures; see booking.Schedules.
func (c *Client) FindSchedule(ctx context.Context, id booking.ScheduleID) (booking.ScheduleStatus, error) {
	return do(ctx, c, request{
		operation: "FindSchedule", method: http.MethodGet, path: schedulePath(id), public: true,
	}, scheduleJSON.status)
}

// ListSchedules returns the schedules; see booking.Schedules. More than booking.MaxPageLimit schedules take
// several requests; EachSchedule iterates over them without loading all.
func (c *Client) ListSchedules(
	ctx context.Context, page booking.PageRequest,
) (booking.Page[booking.ScheduleStatus], error) {
	return fetchList(ctx, page, c.schedulePage)
}

// EachSchedule iterates over the schedules as Trains does over trains.
func (c *Client) EachSchedule(
	ctx context.Context, page booking.PageRequest,
) iter.Seq2[booking.ScheduleStatus, error] {
	return fetchEach(ctx, page, c.schedulePage)
}

func (c *Client) schedulePage(
	ctx context.Context, page booking.PageRequest,
) (booking.Page[booking.ScheduleStatus], error) {
	return do(ctx, c, request{
		operation: "ListSchedules", method: http.MethodGet, path: "/v1/schedules",
		query: pageQuery(url.Values{}, booking.ListSchedules, page), public: true,
	}, pageOf(booking.ListSchedules, scheduleJSON.status))
}

// ListDepartures returns departures of a schedule; see booking.Schedules.
func (c *Client) ListDepartures(
	ctx context.Context, id booking.ScheduleID, from, to booking.Date, page booking.PageRequest,
) (booking.Page[booking.DepartureStatus], error) {
	return fetchList(ctx, page, func(
		ctx context.Context, page booking.PageRequest,
	) (booking.Page[booking.DepartureStatus], error) {
		query := url.Values{"to": {to.String()}}
		if from != 0 {
			query.Set("from", from.String())
		}
		return do(ctx, c, request{
			operation: "ListDepartures", method: http.MethodGet, path: schedulePath(id) + "/departures",
			query: pageQuery(query, booking.ListServiceDays, page), public: true,
		}, pageOf(booking.ListServiceDays, departureJSON.departure))
	})
}
