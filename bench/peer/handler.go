package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

const maxCapacity = 20_000

// decode decodes the body. Error: 400.
func decode(c echo.Context, body any) error {
	if err := json.NewDecoder(c.Request().Body).Decode(body); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error())
	}
	return nil
}

// begin identifies the user, decodes the body, and repeats the request's id, as the service does: wrk
// has no other way to see which request a reply belongs to.
func (h *handlers) begin(c echo.Context, body any) (uuid.UUID, error) {
	if id := c.Request().Header.Get(echo.HeaderXRequestID); id != "" {
		c.Response().Header().Set(echo.HeaderXRequestID, id)
	}
	user, err := h.tokens.user(c)
	if err != nil {
		return uuid.Nil, err
	}
	return user, decode(c, body)
}

func (h *handlers) putTrain(c echo.Context) error {
	var in struct {
		Name     string `json:"name"`
		Capacity int    `json:"capacity"`
		Stops    []struct {
			Station string `json:"station"`
		} `json:"stops"`
	}
	if _, err := h.begin(c, &in); err != nil {
		return err
	}
	id, err := uuid.Parse(c.Param("id"))
	if err != nil || len(in.Stops) != 2 || in.Capacity < 1 || in.Capacity > maxCapacity {
		return echo.ErrBadRequest
	}
	err = h.store.Put(c.Request().Context(), train{
		ID: id, Name: in.Name, Capacity: in.Capacity, Source: in.Stops[0].Station, Destination: in.Stops[1].Station,
	})
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusCreated)
}

func (h *handlers) search(c echo.Context) error {
	found, err := h.store.Search(c.Request().Context(), c.QueryParam("source"), c.QueryParam("destination"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, found)
}

type lockedReply struct {
	SeatID    uuid.UUID `json:"seat_id"`
	Message   string    `json:"message"`
	HoldID    uuid.UUID `json:"hold_id"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (h *handlers) hold(c echo.Context) error {
	var in struct {
		TrainID    uuid.UUID `json:"train_id"`
		SeatNumber int       `json:"seat_number"`
	}
	user, err := h.begin(c, &in)
	if err != nil {
		return err
	}
	if in.SeatNumber < 1 || in.SeatNumber > maxCapacity {
		return echo.ErrBadRequest
	}
	s := seat{in.TrainID, in.SeatNumber}
	until, err := h.store.Hold(c.Request().Context(), user, s)
	if err != nil {
		return err
	}
	// There is at most one hold of a seat, so the hold has the id of the seat.
	return c.JSON(http.StatusOK, lockedReply{
		s.ID(), "Seat locked successfully. Confirm booking to book the seat", s.ID(), until.UTC(),
	})
}

type seatReply struct {
	SeatID     uuid.UUID `json:"seat_id"`
	SeatNumber int       `json:"seat_number"`
}

type heldReply struct {
	HoldID    uuid.UUID   `json:"hold_id"`
	Seats     []seatReply `json:"seats"`
	FromStop  int         `json:"from_stop"`
	ToStop    int         `json:"to_stop"`
	ExpiresAt time.Time   `json:"expires_at"`
}

func (h *handlers) holdSome(c echo.Context) error {
	var in struct {
		TrainID uuid.UUID `json:"train_id"`
		Count   int       `json:"count"`
	}
	user, err := h.begin(c, &in)
	if err != nil {
		return err
	}
	if in.Count < 1 || in.Count > maxCapacity {
		return echo.ErrBadRequest
	}
	numbers, until, err := h.store.HoldSome(c.Request().Context(), user, in.TrainID, in.Count)
	if err != nil {
		return err
	}
	reply := heldReply{Seats: make([]seatReply, len(numbers)), ToStop: 1, ExpiresAt: until.UTC()}
	for i, n := range numbers {
		reply.Seats[i] = seatReply{seat{in.TrainID, int(n)}.ID(), int(n)}
	}
	reply.HoldID = reply.Seats[0].SeatID
	return c.JSON(http.StatusCreated, reply)
}

type confirmedReply struct {
	Message   string      `json:"message"`
	BookingID uuid.UUID   `json:"booking_id"`
	TrainID   uuid.UUID   `json:"train_id"`
	Seats     []seatReply `json:"seats"`
	FromStop  int         `json:"from_stop"`
	ToStop    int         `json:"to_stop"`
	BookedAt  time.Time   `json:"booked_at"`
}

func (h *handlers) confirm(c echo.Context) error {
	var in struct {
		SeatID uuid.UUID `json:"seat_id"`
	}
	user, err := h.begin(c, &in)
	if err != nil {
		return err
	}
	s := seatOf(in.SeatID)
	at, err := h.store.Confirm(c.Request().Context(), user, s)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, confirmedReply{
		Message: "Seat booked successfully", BookingID: in.SeatID, TrainID: s.Train,
		Seats: []seatReply{{in.SeatID, s.Number}}, ToStop: 1, BookedAt: at.UTC(),
	})
}

func (h *handlers) bookings(c echo.Context) error {
	user, err := h.tokens.user(c)
	if err != nil {
		return err
	}
	all, err := h.store.Bookings(c.Request().Context(), user)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, all)
}
