package redis

// The reading of values, for fuzzing.
var (
	DecodeHold = decodeHold
	EncodeHold = encodeHold
	ParseLease = parseLease
	LeaseValue = leaseValue
)
