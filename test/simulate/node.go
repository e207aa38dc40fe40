package simulate

import (
	"slices"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/memory"
)

// node is a process. It has one train, or not.
type node struct {
	*world
	address string
	client  *memory.Client
	wall    time.Duration // by how much its wall clock is ahead of true time
	cut     *server       // that it cannot reach

	life    int // counts its starts: what was for an earlier one is lost
	down    bool
	paused  bool
	backlog []func() // waits while it is paused

	active *activation
	legacy legacy
	sales  *batcher[sale]
	holds  *batcher[persistence.HoldWrite]
	failed bool // the last renewal
}

// sale is a sale with the request that it is for, for the ledger.
type sale struct {
	persistence.Sale
	hold booking.HoldID
	by   *request
}

// legacy is what an activation leaves to the next one of its process.
type legacy struct {
	epoch int64
	holds []booking.Hold
}

func newNode(w *world, address string) *node {
	n := &node{world: w, address: address}
	n.client = w.shared.At(address, func() time.Time { return dawn.Add(w.now + n.wall) })
	n.start()
	return n
}

// start begins a life of the process.
func (n *node) start() {
	n.life++
	n.down, n.paused, n.backlog, n.active, n.legacy = false, false, nil, nil, legacy{}
	now := func() time.Duration { return n.now }
	n.sales = &batcher[sale]{flush: n.book, now: now}
	n.holds = &batcher[persistence.HoldWrite]{flush: n.writeHolds, now: now}
	n.after(n.between(0, persistence.LeaseRenew), n.renew)
}

func (n *node) crash() {
	n.say("%s dies", n.address)
	n.life++
	n.down, n.active = true, nil
}

func (n *node) pause(d time.Duration) {
	if n.paused || n.down {
		return
	}
	n.say("%s is paused for %s", n.address, d)
	n.coverage["faults: node paused"]++
	n.paused = true
	life := n.life
	n.world.after(d, func() {
		if n.life == life {
			n.say("%s goes on", n.address)
			n.paused = false
			backlog := n.backlog
			n.backlog = nil
			for _, do := range backlog {
				n.do(do)
			}
		}
	})
}

// do lets the process do something, when it is not paused.
func (n *node) do(what func()) {
	if n.paused {
		n.backlog = append(n.backlog, what)
		return
	}
	what()
}

// after lets the process do something later, if it lives.
func (n *node) after(d time.Duration, do func()) {
	life := n.life
	n.world.after(d, func() {
		if n.life == life && !n.down {
			n.do(do)
		}
	})
}

// stall is a place between two instructions, where a process may be stopped.
func (n *node) stall(then func()) {
	if n.now < faultTime && !n.paused && n.chance(0.002) {
		n.pause(n.between(100*time.Millisecond, 15*time.Second))
	}
	n.do(then)
}

// ask gives the activation something to answer, and begins one if there is none.
func (n *node) ask(at *attempt) {
	if n.active == nil {
		n.activate()
	}
	n.active.take(at)
}

func (n *node) activate() {
	n.coverage["activations"]++
	n.active = newActivation(n)
	n.active.load()
}

// book is one statement to Postgres.
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
	judged := s.Sale
	var err error
	if judged.Guard, err = w.guardOf(s.Guard); err != nil {
		return err
	}
	results, err := w.store.Book(background, []persistence.Sale{judged})
	if err == nil {
		err = results[0]
	}
	if err == nil && missing != nil {
		w.ledger.committed(s)
	}
	return err
}

// writeHolds is one pipeline to Redis. What was not answered is looked for.
func (n *node) writeHolds(writes []persistence.HoldWrite, done func([]error, error)) {
	call(n, n.redis, func() ([]error, error) { return n.write(writes) }, func(results []error, err error) {
		if err != persistence.ErrUnknown { //nolint:errorlint // as call gives it
			done(results, err)
			return
		}
		n.coverage["writes of holds looked for"]++
		call(n, n.redis, func() ([]booking.Hold, error) {
			return n.client.LoadHolds(background, n.train.ID, dawn.Add(-time.Hour))
		}, func(there []booking.Hold, err error) {
			results := make([]error, len(writes))
			for i, w := range writes {
				at := slices.IndexFunc(there, func(h booking.Hold) bool { return h.ID == w.Hold.ID })
				put := w.Op == persistence.HoldPut
				if err != nil || put && (at < 0 || !sameHold(there[at], w.Hold)) || !put && at >= 0 {
					results[i] = persistence.ErrUnknown
				}
			}
			done(results, nil)
		})
	})
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

// renew renews the lease for as long as the process lives.
func (n *node) renew() {
	a := n.active
	if a == nil || !a.leased {
		n.after(persistence.LeaseRenew, n.renew)
		return
	}
	sent := n.now
	call(n, n.redis, func() ([]error, error) {
		return n.client.RenewLeases(background, []persistence.Lease{a.lease()})
	}, func(results []error, err error) {
		next := persistence.LeaseRenew
		switch {
		case err != nil:
			next = 250 * time.Millisecond
		case results[0] != nil:
			n.coverage["leases lost"]++
			n.say("%s lost its lease", n.address)
			a.tenureOver()
		case a.valid():
			a.grant(sent)
			if n.failed && n.active == a {
				a.rewriteHolds()
			}
		}
		n.failed = err != nil
		if !a.valid() {
			a.tenureOver()
		}
		n.after(next, n.renew)
	})
}
