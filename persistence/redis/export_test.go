package redis

import "context"

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

// KillClients ends all other connections of the server.
func (db *DB) KillClients(ctx context.Context) error {
	return db.data.Do(ctx, "CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal").Err()
}
