package cluster

import (
	"sync/atomic"
	"time"
)

// processStart is the origin of the monotonic time that terms are measured in.
var processStart = time.Now()

func monotonic() time.Duration { return time.Since(processStart) }

// storePrecision is the precision of the store's clock: what it returns is rounded down.
const storePrecision = time.Millisecond

// clock estimates the time on the clock of the store of the members, which every heartbeat reads.
// The store reads it after the heartbeat was sent and before its response arrives, which gives two
// bounds. The zero value is the local clock. Safe for concurrent use.
type clock struct {
	last atomic.Pointer[reading]
}

// reading is a time of the store that was read between two monotonic times.
type reading struct {
	at             time.Time
	sent, received time.Duration
}

func (c *clock) set(at time.Time, sent, received time.Duration) {
	c.last.Store(&reading{at, sent, received})
}

// bounds returns the earliest and the latest time that it can be now.
func (c *clock) bounds() (earliest, latest time.Time) {
	r := c.last.Load()
	if r == nil {
		now := time.Now()
		return now, now
	}
	now := monotonic()
	return r.at.Add(now - r.received), r.at.Add(now - r.sent + storePrecision)
}
