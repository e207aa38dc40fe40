package redis

import (
	"strings"

	"trainbooking.dev/booking"
)

// The keys of a train; the package comment says what is in them.
const (
	trainPrefix  = "{t:"
	leaseSuffix  = "}:lease"
	holdInfix    = "}:hold:"
	holdsSuffix  = "}:holds"
	holdsPattern = trainPrefix + "*" + holdsSuffix
)

func leaseKey(id booking.TrainID) string { return trainPrefix + id.String() + leaseSuffix }
func holdsKey(id booking.TrainID) string { return trainPrefix + id.String() + holdsSuffix }

func holdKey(id booking.TrainID, hold string) string {
	return trainPrefix + id.String() + holdInfix + hold
}

// trainOf reads the train from a key that matches holdsPattern; false if it is not ours.
func trainOf(holdsKey string) (booking.TrainID, bool) {
	id, err := booking.ParseTrainID(strings.TrimSuffix(strings.TrimPrefix(holdsKey, trainPrefix), holdsSuffix))
	return id, err == nil
}
