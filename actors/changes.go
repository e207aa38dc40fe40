package actors

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"trainbooking.dev/booking"
)

const (
	// changeBits is the binary logarithm of how many counters the trains share.
	changeBits = 14
	// maxLogged is how many changes a process remembers for its peers.
	maxLogged = 4096
)

// changes counts what may change the results of searches, so that a result can be kept for as long as
// nothing that it depends on is counted. Whatever changes a result is counted after it can be read, and
// before anybody is told of it. Some trains share a counter, which only makes a kept result end too early.
// What changes trains of peers is counted when they are asked (peerQueries.refresh). Safe for concurrent use.
type changes struct {
	others atomic.Uint64 // trains may be proposed to other processes, or changes of a peer are unknown
	trains [1 << changeBits]atomic.Uint64
	log    *changeLog
}

func newChanges() *changes { return &changes{log: newChangeLog()} }

// count counts a change of a train in this process: of its snapshot, or of whether it is active.
func (c *changes) count(id booking.TrainID) {
	c.train(id).Add(1)
	c.log.add(id)
}

// train returns the counter of a train.
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

// changeLog has the last changes in this process, by their positions. Safe for concurrent use.
type changeLog struct {
	mu       sync.Mutex
	position uint64                     // of the last change
	trains   [maxLogged]booking.TrainID // of the change at position p in p % maxLogged
}

// newChangeLog returns a log that begins at a random position, so that a peer notices a restart.
func newChangeLog() *changeLog {
	return &changeLog{position: rand.Uint64()} //nolint:gosec // it need not be secret
}

func (l *changeLog) add(id booking.TrainID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position++
	l.trains[l.position%maxLogged] = id
}

// since returns the trains of the changes after a position, and the position of the last change. known is
// false if the log does not have that position.
func (l *changeLog) since(position uint64) (trains []booking.TrainID, last uint64, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.position-position > maxLogged {
		return nil, l.position, false
	}
	for p := position; p != l.position; {
		p++
		trains = append(trains, l.trains[p%maxLogged])
	}
	return trains, l.position, true
}
