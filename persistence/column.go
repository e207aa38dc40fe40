package persistence

import (
	"encoding/json"
	"fmt"

	"trainbooking.dev/booking"
)

// The columns that all engines encode in the same way.

// EncodeLegs returns the value of the column for a set of legs. Its sign bit is never set.
func EncodeLegs(l booking.Legs) int64 { return int64(l) } //nolint:gosec // MaxLegs is 63

// DecodeLegs is the inverse of EncodeLegs.
func DecodeLegs(n int64) booking.Legs { return booking.Legs(n) } //nolint:gosec // as written

// EncodeList returns the value of the column for a slice, as JSON.
func EncodeList[T any](items []T) (string, error) {
	b, err := json.Marshal(items)
	if err != nil {
		return "", fmt.Errorf("encode list: %w", err)
	}
	return string(b), nil
}

// DecodeList is the inverse of EncodeList.
func DecodeList[T any](text string) (items []T, err error) {
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("decode list: %w", err)
	}
	return items, nil
}
