package actors

import (
	"encoding/binary"
	"sync/atomic"

	"trainbooking.dev/booking"
)

// changeBits is the binary logarithm of how many counters the trains share.
const changeBits = 14

// changes counts what may change the results of searches, so that a result can be kept for as long as
// nothing that it depends on is counted. Whatever changes a result is counted after it can be read, and
// before anybody is told of it. Some trains share a counter, which only makes a kept result end too early.
// Safe for concurrent use.
type changes struct {
	placements atomic.Uint64 // trains may be proposed to other processes
	trains     [1 << changeBits]atomic.Uint64
}

// train returns the counter of a train: its snapshots, and whether it is active in this process.
func (c *changes) train(id booking.TrainID) *atomic.Uint64 {
	const factor = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio (Knuth, 6.4)
	half := len(id) / 2
	hash := (binary.BigEndian.Uint64(id[:half]) ^ binary.LittleEndian.Uint64(id[half:])) * factor
	return &c.trains[hash>>(64-changeBits)]
}

// counters returns the counters of trains.
func (c *changes) counters(trains []*booking.Train) []*atomic.Uint64 {
	counters := make([]*atomic.Uint64, len(trains))
	for i, train := range trains {
		counters[i] = c.train(train.ID)
	}
	return counters
}

// total returns the sum of counters, which stays the same only while each of them does.
func total(counters []*atomic.Uint64) (sum uint64) {
	for _, counter := range counters {
		sum += counter.Load()
	}
	return sum
}
