package redis

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// holdVersion is the version of the format. Processes of two versions may run side by side.
const holdVersion = 1

// holdValue is the stored form of a hold. The encoding is deterministic, because readBack
// compares it.
type holdValue struct {
	Version  int          `json:"v"`
	User     uuid.UUID    `json:"u"`
	Seats    []int        `json:"s"`
	Legs     booking.Legs `json:"l"`
	Deadline int64        `json:"d"` // Unix time in milliseconds
	Released bool         `json:"r,omitempty"`
	Extended bool         `json:"e,omitempty"`

	Incarnation booking.Incarnation `json:"i,omitempty"` // the version before does not have it
}

// valueError is the error of a value that this program cannot decode.
type valueError struct{ error }

func (e valueError) Unwrap() error { return e.error }

func encodeHold(h *booking.Hold) string {
	text, err := json.Marshal(holdValue{
		Version: holdVersion, User: h.User, Seats: h.Seats, Legs: h.Legs,
		Deadline: h.ExpiresAt.UnixMilli(), Released: h.Released, Extended: h.Extended, Incarnation: h.Incarnation,
	})
	if err != nil {
		panic(err) // all of these types can be encoded
	}
	return string(text)
}

// decodeHold is the inverse of encodeHold.
func decodeHold(key string, id booking.HoldID, text string) (booking.Hold, error) {
	var v holdValue
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return booking.Hold{}, valueError{fmt.Errorf("the value of key %s is not a hold: %w", key, err)}
	}
	if v.Version != holdVersion {
		return booking.Hold{}, valueError{fmt.Errorf("the hold in key %s has version %d, but this program supports only version %d: run the newer program", key, v.Version, holdVersion)}
	}
	return booking.Hold{
		ID: id, User: v.User, Seats: v.Seats, Legs: v.Legs,
		ExpiresAt: time.UnixMilli(v.Deadline).UTC(), Released: v.Released, Extended: v.Extended, Incarnation: v.Incarnation,
	}, nil
}
