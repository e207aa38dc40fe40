package api

import (
	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// A malformed id in a body is an invalid field. In a path, an id that is malformed or that
// no train can have is not_found.

// trainID decodes a required train id. It does not check whether a train can have it.
func (d *decoder) trainID(name string) booking.TrainID {
	return requiredID(d, name, booking.ParseTrainID)
}

// seatID decodes a required seat id.
func (d *decoder) seatID(name string) booking.SeatID {
	return requiredID(d, name, booking.ParseSeatID)
}

// holdID decodes a required hold id.
func (d *decoder) holdID(name string) booking.HoldID {
	return requiredID(d, name, booking.ParseHoldID)
}

// optionalHoldID decodes a hold id. It returns the zero id if the field is missing.
func (d *decoder) optionalHoldID(name string) booking.HoldID {
	return optionalID(d, name, booking.ParseHoldID)
}

func requiredID[ID any](d *decoder, name string, parse func(string) (ID, error)) (id ID) {
	if _, given := d.required(name); !given {
		return id
	}
	return optionalID(d, name, parse)
}

func optionalID[ID any](d *decoder, name string, parse func(string) (ID, error)) (id ID) {
	raw, given := d.optionalString(name)
	if !given {
		return id
	}
	id, err := parse(raw)
	if err != nil {
		d.fieldError(name, "is not an id")
	}
	return id
}

// pathTrainID decodes the id of a train in the path.
func (d *decoder) pathTrainID() booking.TrainID {
	id := pathID(d, "id", "train", booking.ParseTrainID)
	if !id.Valid() {
		d.notFound = booking.NotFound("train")
	}
	return id
}

// pathHoldID decodes the id of a hold in the path.
func (d *decoder) pathHoldID() booking.HoldID {
	return pathID(d, "hold_id", "hold", booking.ParseHoldID)
}

// pathUUID decodes the id of a user or a booking in the path. kind is "user" or "booking".
func (d *decoder) pathUUID(kind string) uuid.UUID {
	return pathID(d, "id", kind, func(s string) (uuid.UUID, error) {
		id, err := booking.ParseSeatID(s) // unlike uuid.Parse, accepts only the canonical form
		return uuid.UUID(id), err
	})
}

func pathID[ID any](d *decoder, name, kind string, parse func(string) (ID, error)) ID {
	id, err := parse(d.path(name))
	if err != nil {
		d.notFound = booking.NotFound(kind)
	}
	return id
}
