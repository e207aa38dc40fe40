package redis

import "github.com/google/uuid"

// The encoding of values, for fuzzing.
var (
	DecodeHold = decodeHold
	EncodeHold = encodeHold
	ParseLease = parseLease
	LeaseValue = leaseValue
)

// SetOfUser is the key of a set of a user's slot.
func SetOfUser(user uuid.UUID) string { return periodKey(0, 0, user) }
