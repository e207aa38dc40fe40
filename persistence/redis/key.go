package redis

import (
	"strings"

	"trainbooking.dev/booking"
)

// The keys of a train; see the package comment.
const (
	trainPrefix  = "{t:"
	leaseSuffix  = "}:lease"
	holdInfix    = "}:hold:"
	holdsSuffix  = "}:holds"
	userInfix    = "}:user:"
	holdsPattern = trainPrefix + "*" + holdsSuffix
)

func leaseKey(id booking.TrainID) string { return trainPrefix + id.String() + leaseSuffix }
func holdsKey(id booking.TrainID) string { return trainPrefix + id.String() + holdsSuffix }

func holdKey(id booking.TrainID, hold string) string {
	return trainPrefix + id.String() + holdInfix + hold
}

func userKey(id booking.TrainID, user string) string {
	return trainPrefix + id.String() + userInfix + user
}

// attemptsKey is the key of the attempts at something.
func attemptsKey(key string) string { return "{a:" + key + "}" }

// trainOf parses the train id from a key that matches holdsPattern.
func trainOf(holdsKey string) (booking.TrainID, bool) {
	id, err := booking.ParseTrainID(strings.TrimSuffix(strings.TrimPrefix(holdsKey, trainPrefix), holdsSuffix))
	return id, err == nil
}
