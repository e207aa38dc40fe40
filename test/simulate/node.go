package simulate

import (
	"slices"
	"time"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/memory"
)

// node is a process, which may own the train.
type node struct {
	*world
	address string
	client  *memory.Client
	wall    time.Duration // lead of its wall clock over true time
	cut     *server       // the server that it cannot reach

	incarnation int // counts its starts; events of earlier ones are dropped
	down        bool
	paused      bool
	deferred    []func() // while it is paused

	active  *shell
	handoff activation.Handoff
	sales   *batcher[sale]
	holds   *batcher[persistence.HoldWrite]
	failed  bool // the last renewal failed
}

// sale is a sale with its request, for the ledger.
type sale struct {
	persistence.Sale
	by *request
}

func newNode(w *world, address string) *node {
	n := &node{world: w, address: address}
	n.client = w.shared.At(address, func() time.Time { return startTime.Add(w.now + n.wall) })
	n.start()
	return n
}

// start starts the process.
func (n *node) start() {
	n.incarnation++
	n.down, n.paused, n.deferred, n.active, n.handoff = false, false, nil, nil, activation.Handoff{}
	now := func() time.Duration { return n.now }
	n.sales = &batcher[sale]{flush: n.book, now: now}
	n.holds = &batcher[persistence.HoldWrite]{flush: n.writeHolds, now: now}
	n.after(n.between(0, persistence.LeaseRenew), n.renew)
}

func (n *node) crash() {
	n.logf("%s crashes", n.address)
	n.incarnation++
	n.down, n.active = true, nil
}

func (n *node) pause(d time.Duration) {
	if n.paused || n.down {
		return
	}
	n.logf("%s is paused for %s", n.address, d)
	n.coverage["faults: node paused"]++
	n.paused = true
	incarnation := n.incarnation
	n.world.after(d, func() {
		if n.incarnation == incarnation {
			n.logf("%s resumes", n.address)
			n.paused = false
			deferred := n.deferred
			n.deferred = nil
			for _, do := range deferred {
				n.do(do)
			}
		}
	})
}

// do calls step, or defers it while the process is paused.
func (n *node) do(step func()) {
	if n.paused {
		n.deferred = append(n.deferred, step)
		return
	}
	step()
}

// after schedules do. It is not called if the process crashes before.
func (n *node) after(d time.Duration, do func()) {
	incarnation := n.incarnation
	n.world.after(d, func() {
		if n.incarnation == incarnation && !n.down {
			n.do(do)
		}
	})
}

// maybePause pauses the process at random between two steps.
func (n *node) maybePause(then func()) {
	if n.now < faultTime && !n.paused && n.chance(0.002) {
		n.pause(n.between(100*time.Millisecond, 15*time.Second))
	}
	n.do(then)
}

// handle passes an attempt to the activation, and creates one if necessary. One that is closing
// responds when it has closed.
func (n *node) handle(at *attempt) {
	if n.active == nil {
		n.activate()
	}
	if n.active.machine.State() == activation.Closed {
		at.respond(n, activation.Response{Retry: true})
		return
	}
	n.active.receive(at)
}

// book executes a batch of sales in Postgres.
func (n *node) book(sales []sale, done func([]error, error)) {
	call(n, n.postgres, func() ([]error, error) {
		results := make([]error, len(sales))
		for i, s := range sales {
			results[i] = n.sell(s)
		}
		return results, nil
	}, done)
}

func (w *world) sell(s sale) error {
	_, missing := w.store.FindBooking(background, s.Booking.ID)
	checked := s.Sale
	var err error
	if checked.Guard, err = w.guardOf(s.Guard); err != nil {
		return err
	}
	results, err := w.store.Book(background, []persistence.Sale{checked})
	if err == nil {
		err = results[0]
	}
	if err == nil && missing != nil {
		w.ledger.committed(s)
	}
	return err
}

// writeHolds executes a batch of writes in Redis. Without a reply, it reads the holds back.
func (n *node) writeHolds(writes []persistence.HoldWrite, done func([]error, error)) {
	call(n, n.redis, func() ([]error, error) { return n.write(writes) }, func(results []error, err error) {
		if err != persistence.ErrUnknown { //nolint:errorlint // call does not wrap it
			done(results, err)
			return
		}
		n.coverage["writes of holds read back"]++
		call(n, n.redis, func() ([]booking.Hold, error) {
			return n.stored(writes), nil
		}, func(stored []booking.Hold, err error) {
			results := make([]error, len(writes))
			for i, w := range writes {
				if err != nil || !isWritten(w, stored[i]) {
					results[i] = persistence.ErrUnknown
				}
			}
			done(results, nil)
		})
	})
}

// isWritten reports whether what is stored shows that a write was executed.
func isWritten(w persistence.HoldWrite, stored booking.Hold) bool {
	found := stored.ID == w.Hold.ID
	switch w.Op {
	case persistence.HoldPut:
		return found && sameHold(stored, w.Hold)
	case persistence.HoldDrop:
		return !found
	}
	return false
}

// stored returns the stored holds of writes, the zero hold for those that are missing.
func (n *node) stored(writes []persistence.HoldWrite) []booking.Hold {
	stored := make([]booking.Hold, len(writes))
	for i, w := range writes {
		stored[i], _ = n.shared.Hold(n.train.ID, w.Hold.ID)
	}
	return stored
}

func sameHold(a, b booking.Hold) bool {
	return a.ExpiresAt.Equal(b.ExpiresAt) && a.Released == b.Released && a.Legs == b.Legs && slices.Equal(a.Seats, b.Seats)
}

func (n *node) write(writes []persistence.HoldWrite) ([]error, error) {
	if n.mutation == HoldUnfenced {
		if holder, held := n.shared.Holder(n.train.ID); held {
			writes = slices.Clone(writes)
			for i := range writes {
				writes[i].Guard.Owner = holder.Owner
			}
			return n.shared.At(holder.Address, n.time).WriteHolds(background, writes)
		}
	}
	return n.client.WriteHolds(background, writes)
}

// renew renews the lease until the process crashes.
func (n *node) renew() {
	a := n.active
	if a == nil || !a.renewing {
		n.after(persistence.LeaseRenew, n.renew)
		return
	}
	sent := n.now
	call(n, n.redis, func() ([]error, error) {
		return n.client.RenewLeases(background, []persistence.Lease{a.lease()})
	}, func(results []error, err error) {
		next := persistence.LeaseRenew
		valid := n.now < a.term.until
		switch {
		case err != nil:
			next = 250 * time.Millisecond
		case results[0] != nil:
			n.coverage["leases lost"]++
			n.logf("%s lost its lease", n.address)
			a.leaseLost()
		case valid:
			a.term.extend(sent)
			if n.failed && n.active == a {
				a.deliver(activation.Recovered{})
			}
		}
		n.failed = err != nil
		if !valid && a.renewing {
			a.leaseLost()
		}
		n.after(next, n.renew)
	})
}
