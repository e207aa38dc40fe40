package actors

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// keptTime is how long a passive snapshot, or the result of a search, is used.
	keptTime = time.Second
	// maxPassiveSeats bounds the seats of the passive snapshots that are kept: 32 MB.
	maxPassiveSeats = 2_000_000
	// maxTrainsPerRead bounds the trains of one statement and pipeline, and so the memory for its result.
	maxTrainsPerRead = 100
	// restPerRead is how many times as long as such a read the rest is that follows it while commands are
	// executed: a query for many trains must not keep sales from the processors. maxRest bounds the rest,
	// since a read may also take long because the store is slow.
	restPerRead = 31
	maxRest     = 60 * time.Millisecond
	// maxReads bounds the reads of passive snapshots at a time, so that they leave a connection of
	// the store for others. maxReadWait is how long a query waits for one of them to end.
	maxReads    = 4
	maxReadWait = time.Second
)

// passive reads trains that are not active in this process, from the stores, for readers. A search
// by an anonymous client must not acquire a lease. Nothing is decided from a passive snapshot.
//
// The trains of a query are read together, and concurrent queries share the read of a train. The
// snapshot of a train that no process owns is kept for keptTime, or until an activation here
// closes. What another process owns is read anew by every query. Safe for concurrent use.
type passive struct {
	store   persistence.Store
	holds   persistence.Holds
	address string // of this process
	// commands is the number of commands that the process executes.
	commands *atomic.Int64
	slots    chan struct{}

	mu    sync.Mutex
	reads map[booking.TrainID]*passiveRead
	seats int // of all reads
}

// passiveRead is a read that is in flight or has ended.
type passiveRead struct {
	train    *booking.Train
	until    time.Time     // the read is not used from then on
	done     chan struct{} // closed when the fields below are set
	snapshot *booking.Snapshot
	owned    bool // by another process, which may change the train at any time
	err      error
}

func newPassiveRead(train *booking.Train, now time.Time) *passiveRead {
	return &passiveRead{train: train, until: now.Add(keptTime), done: make(chan struct{})}
}

func newPassive(store persistence.Store, holds persistence.Holds, address string, commands *atomic.Int64) *passive {
	return &passive{
		store: store, holds: holds, address: address, commands: commands,
		slots: make(chan struct{}, maxReads), reads: map[booking.TrainID]*passiveRead{},
	}
}

// drop forgets a train whose activation has closed, because it may have sold since a read.
func (p *passive) drop(id booking.TrainID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(id)
}

// remove is called with mu locked.
func (p *passive) remove(id booking.TrainID) {
	if r := p.reads[id]; r != nil {
		p.seats -= r.train.Capacity
		delete(p.reads, id)
	}
}

// snapshots returns the snapshots of trains, in their order; nil for those that could not be read.
// They may be used until then, unless a change of one of the trains is counted. The error is the reason
// why some are nil. It is unavailable if too many others read.
func (p *passive) snapshots(
	ctx context.Context, trains []*booking.Train,
) (snapshots []*booking.Snapshot, until time.Time, failed error) {
	reads, own := p.begin(trains, time.Now())
	p.read(ctx, own)
	var again []*passiveRead
	for i, r := range reads {
		select {
		case <-r.done:
		case <-ctx.Done():
			return make([]*booking.Snapshot, len(trains)), time.Time{}, booking.Timeout(ctx.Err())
		}
		if r.owned && !slices.Contains(own, r) { // its owner may have sold since this read began
			reads[i] = newPassiveRead(r.train, time.Now())
			again = append(again, reads[i])
		}
	}
	p.read(ctx, again)
	snapshots, until = make([]*booking.Snapshot, len(trains)), time.Now().Add(keptTime)
	for i, r := range reads {
		snapshots[i] = r.snapshot
		if r.err != nil {
			failed = r.err
		}
		if until = earlier(until, r.until); r.owned || r.err != nil {
			until = time.Time{}
		}
	}
	return snapshots, until, failed
}

// begin returns a read for each train, and those of them that the caller must execute.
func (p *passive) begin(trains []*booking.Train, now time.Time) (reads, own []*passiveRead) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reads = make([]*passiveRead, len(trains))
	for i, train := range trains {
		r := p.reads[train.ID]
		if r == nil || !r.until.After(now) || r.train != train {
			r = newPassiveRead(train, now)
			own = append(own, r)
			p.remove(train.ID)
			p.reads[train.ID] = r
			p.seats += train.Capacity
		}
		reads[i] = r
	}
	return reads, own
}

// read executes reads. It does not end with ctx, because other queries may wait for them.
func (p *passive) read(ctx context.Context, reads []*passiveRead) {
	if len(reads) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	for some := range slices.Chunk(reads, maxTrainsPerRead) {
		began := time.Now()
		if err := p.readFromStores(ctx, some); err != nil {
			for _, r := range some {
				r.err = err
			}
		}
		p.finish(some)
		if len(some) == maxTrainsPerRead && p.commands.Load() > 0 {
			_ = pause(ctx, min(restPerRead*time.Since(began), maxRest))
		}
	}
}

// finish ends reads, and keeps those that later queries may use.
func (p *passive) finish(reads []*passiveRead) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range reads {
		// One that was dropped or replaced is only for those who wait for it already.
		if p.reads[r.train.ID] == r && (r.err != nil || p.seats > maxPassiveSeats) {
			p.remove(r.train.ID)
		}
		close(r.done)
	}
	p.expire(time.Now())
}

// expire removes the reads that are not used any more. It is called with mu locked.
func (p *passive) expire(now time.Time) {
	for id, r := range p.reads {
		if !r.until.After(now) {
			p.remove(id)
		}
	}
}

// readFromStores reads the stores. If err is nil, each read has its snapshot or its error.
func (p *passive) readFromStores(ctx context.Context, reads []*passiveRead) error {
	if err := p.acquireSlot(ctx); err != nil {
		return err
	}
	defer func() { <-p.slots }()
	ids := make([]booking.TrainID, len(reads))
	for i, r := range reads {
		ids[i] = r.train.ID
	}
	// The holds first: one that becomes a booking in between is then counted as booked.
	held, err := p.holds.LoadHolds(ctx, ids, time.Now())
	if err != nil {
		return persistence.ClientError(err)
	}
	booked, err := p.store.SeatLegs(ctx, ids)
	if err != nil {
		return persistence.ClientError(err)
	}
	now := time.Now()
	for i, r := range reads {
		if r.err = persistence.ClientError(held[i].Err); r.err != nil {
			continue
		}
		is := held[i].Value
		r.snapshot = booking.NewSnapshot(r.train, booked[i], is.Holds, now)
		r.owned = is.Owner != "" && is.Owner != p.address
	}
	return nil
}

// find reads the definitions of trains, which may be retired.
func (p *passive) find(ctx context.Context, ids []booking.TrainID) ([]booking.Train, error) {
	if err := p.acquireSlot(ctx); err != nil {
		return nil, err
	}
	defer func() { <-p.slots }()
	trains, err := p.store.FindTrains(ctx, ids)
	return trains, persistence.ClientError(err)
}

// acquireSlot waits until one of maxReads reads ends.
func (p *passive) acquireSlot(ctx context.Context) error {
	wait := time.NewTimer(maxReadWait)
	defer wait.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-wait.C:
		return booking.Unavailable(booking.OutcomeNotExecuted, maxReadWait, errTooManyReads)
	case <-ctx.Done():
		return booking.Timeout(ctx.Err())
	}
}
