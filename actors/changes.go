package actors

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"trainbooking.dev/booking"
)

const (
	// changeBits is the binary logarithm of the length of lastChanges.
	changeBits = 14
	// maxLogged is how many changes a process remembers for its peers.
	maxLogged = 4096
)

// changeLog numbers the changes of trains in this process, and remembers the last of them. The number of a change is
// its position. A train changes when it publishes a snapshot, and when it stops being active. The change is added after
// it can be read, and before anybody is told of it. So what is read after asking for the position stays the same while no
// later change of its trains is added. Safe for concurrent use.
type changeLog struct {
	last lastChanges

	mu       sync.Mutex
	position uint64                     // of the last change
	trains   [maxLogged]booking.TrainID // that of the change at position p in p % maxLogged
}

// newChangeLog returns a log that begins at a random position, so that a peer notices a restart.
func newChangeLog() *changeLog {
	return &changeLog{position: rand.Uint64() >> 1} //nolint:gosec // it need not be secret
}

// add adds a change of a train.
func (l *changeLog) add(id booking.TrainID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position++
	l.trains[l.position%maxLogged] = id
	l.last.of(id).Store(l.position)
}

// now returns the position of the last change.
func (l *changeLog) now() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.position
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

// lastChanges are the positions of the last changes of trains in one process, as far as they are known here. Some
// trains share one, which only makes a kept result end too early. Safe for concurrent use.
type lastChanges struct {
	ended     atomic.Bool // later changes are not stored here: some are unknown
	positions [1 << changeBits]atomic.Uint64
}

func (l *lastChanges) of(id booking.TrainID) *atomic.Uint64 {
	const factor = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio (Knuth, 6.4)
	half := len(id) / 2
	hash := (binary.BigEndian.Uint64(id[:half]) ^ binary.LittleEndian.Uint64(id[half:])) * factor
	return &l.positions[hash>>(64-changeBits)]
}

// reading tells whether trains of one process have changed since they were read.
type reading struct {
	position uint64 // of the last change before they were read
	changes  *lastChanges
	ofTrains []*atomic.Uint64
}

func (l *lastChanges) reading(position uint64, trains []*booking.Train) reading {
	r := reading{position, l, make([]*atomic.Uint64, len(trains))}
	for i, train := range trains {
		r.ofTrains[i] = l.of(train.ID)
	}
	return r
}

// current reports whether no train has changed since, as far as is known here.
func (r *reading) current() bool {
	for _, last := range r.ofTrains {
		if last.Load() > r.position {
			return false
		}
	}
	return !r.changes.ended.Load()
}
