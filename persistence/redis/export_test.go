package redis

// The encoding of values, for fuzzing.
var (
	DecodeHold = decodeHold
	EncodeHold = encodeHold
	ParseLease = parseLease
	LeaseValue = leaseValue
)

// SetOfSlot is the key of a set of a slot.
func SetOfSlot(slot int) string { return periodKey(0, 0, slot) }

// UseSlot makes the next batch write a slot.
func (db *DB) UseSlot(slot int) { db.batches.Store(uint64(slot) + userSlots - 1) }
