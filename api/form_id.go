package api

import (
	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Ids in a body must be ids: a malformed one is a fault of the form. In a path one
// that is malformed, or cannot be a train's, simply names nothing: not_found.

// trainID reads the id of a train. Whether any train can have it is not looked at.
func (f *form) trainID(name string) booking.TrainID {
	return required(f, name, booking.ParseTrainID)
}

// seatID reads the id of a seat.
func (f *form) seatID(name string) booking.SeatID {
	return required(f, name, booking.ParseSeatID)
}

// optionalHoldID reads the id of a hold; zero when it is not given.
func (f *form) optionalHoldID(name string) booking.HoldID {
	return optional(f, name, booking.ParseHoldID)
}

func required[ID any](f *form, name string, parse func(string) (ID, error)) (id ID) {
	if _, given := f.required(name); !given {
		return id
	}
	return optional(f, name, parse)
}

func optional[ID any](f *form, name string, parse func(string) (ID, error)) (id ID) {
	raw, given := f.str(name)
	if !given {
		return id
	}
	id, err := parse(raw)
	if err != nil {
		f.fault(name, "is not an id")
	}
	return id
}

// pathTrain reads the train that the path names.
func (f *form) pathTrain() booking.TrainID {
	id := fromPath(f, "id", "train", booking.ParseTrainID)
	if !id.Valid() {
		f.absent = booking.NotFound("train")
	}
	return id
}

// pathHold reads the hold that the path names.
func (f *form) pathHold() booking.HoldID {
	return fromPath(f, "hold_id", "hold", booking.ParseHoldID)
}

// pathUUID reads the id in the path of a user or a booking, which what says.
func (f *form) pathUUID(what string) uuid.UUID {
	return fromPath(f, "id", what, func(s string) (uuid.UUID, error) {
		id, err := booking.ParseSeatID(s) // the same 36 characters and no other form
		return uuid.UUID(id), err
	})
}

func fromPath[ID any](f *form, name, what string, parse func(string) (ID, error)) ID {
	id, err := parse(f.path(name))
	if err != nil {
		f.absent = booking.NotFound(what)
	}
	return id
}
