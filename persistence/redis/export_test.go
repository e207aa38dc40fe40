package redis

// The encoding of values, for fuzzing.
var (
	DecodeHold = decodeHold
	EncodeHold = encodeHold
	ParseLease = parseLease
	LeaseValue = leaseValue
)
