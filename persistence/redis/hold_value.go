package redis

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// holdVersion is the first thing in a value, so that another form can be told from this
// one while processes of two versions run side by side.
const holdVersion = 1

// holdValue is a hold as it is kept. The same hold is always the same text: findLost
// compares it.
type holdValue struct {
	Version  int          `json:"v"`
	User     uuid.UUID    `json:"u"`
	Seats    []int        `json:"s"`
	Legs     booking.Legs `json:"l"`
	Deadline int64        `json:"d"` // milliseconds since 1970, as told to the client
	Released bool         `json:"r,omitempty"`
}

func encodeHold(h *booking.Hold) string {
	text, err := json.Marshal(holdValue{
		Version: holdVersion, User: h.User, Seats: h.Seats, Legs: h.Legs,
		Deadline: h.ExpiresAt.UnixMilli(), Released: h.Released,
	})
	if err != nil {
		panic(err) // none of these types can fail
	}
	return string(text)
}

// decodeHold reads the hold that is kept under the key.
func decodeHold(key string, id booking.HoldID, text string) (booking.Hold, error) {
	var v holdValue
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return booking.Hold{}, fmt.Errorf("key %s holds no hold: %w", key, err)
	}
	if v.Version != holdVersion {
		return booking.Hold{}, fmt.Errorf("key %s holds a hold of version %d, and this program knows %d: run the newer one", key, v.Version, holdVersion)
	}
	return booking.Hold{
		ID: id, User: v.User, Seats: v.Seats, Legs: v.Legs,
		ExpiresAt: time.UnixMilli(v.Deadline).UTC(), Released: v.Released,
	}, nil
}
