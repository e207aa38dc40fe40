package simulate

import (
	"time"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
)

// planFaults schedules random faults. Some seeds have none, so that the normal operation is
// tested too.
func (w *world) planFaults() {
	for range pick(w, 0, 2, 5, 10) {
		w.after(w.between(0, faultTime), w.fault)
	}
	w.after(faultTime, w.heal)
}

func (w *world) fault() {
	n := pick(w, w.nodes...)
	switch w.rng.IntN(13) {
	case 0, 1:
		n.pause(w.between(100*time.Millisecond, 15*time.Second))
	case 2, 3:
		w.crash(n)
	case 4:
		w.recordFault("Redis emptied")
		w.shared.Empty()
		w.token.counter = 0
		w.lostData()
	case 5:
		restore, counter := w.shared.Snapshot(), w.token.counter
		w.after(w.between(time.Millisecond, 3*time.Second), func() {
			w.recordFault("Redis lost its last writes")
			restore()
			w.token.counter = counter
			w.lostData()
		})
	case 6:
		by := pick(w, time.Minute, -time.Hour)
		w.recordFault("Redis's clock moved by " + by.String())
		w.shared.Jump(by)
		w.lostData()
	case 7:
		n.wall = pick(w, -time.Hour, -5*time.Second, -time.Second, time.Second, 5*time.Second, time.Hour)
		w.recordFault("wall clock moved")
		w.logf("the clock of %s is ahead by %s", n.address, n.wall)
		w.wallMoved()
	case 8:
		w.makeUnreachable(w.postgres)
	case 9:
		w.makeUnreachable(w.redis)
	case 10:
		w.recordFault("node partitioned")
		n.cut = pick(w, w.postgres, w.redis)
		w.logf("%s cannot reach %s", n.address, n.cut.name)
		w.after(w.between(100*time.Millisecond, 10*time.Second), func() { n.cut = nil })
	case 11:
		w.recordFault("train handed off")
		if n.active != nil && !n.down {
			n.active.deliver(activation.Stop{})
		}
	case 12:
		w.sellByHand()
	}
}

// sellByHand sells a free seat on one leg without a booking, as somebody with access to Postgres
// can.
func (w *world) sellByHand() {
	seat, leg := 1+w.rng.IntN(w.train.Capacity), w.rng.IntN(len(w.train.Stops)-1)
	legs := booking.Segment(leg, leg+1)
	if !w.ledger.taken(seat).Overlaps(legs) {
		w.recordFault("seat sold by hand")
		w.store.AddLegs(w.train.ID, seat, legs)
		w.ledger.soldByHand(seat, legs)
	}
}

func (w *world) recordFault(fault string) {
	w.coverage["faults: "+fault]++
	w.logf("%s", fault)
}

func (w *world) crash(n *node) {
	if n.down {
		return
	}
	w.coverage["faults: node crashed"]++
	n.crash()
	w.after(w.between(50*time.Millisecond, 8*time.Second), func() {
		w.logf("%s starts", n.address)
		n.start()
	})
}

func (w *world) makeUnreachable(s *server) {
	w.recordFault(s.name + " unreachable")
	s.down = true
	w.after(w.between(50*time.Millisecond, 8*time.Second), func() {
		s.down = false
		w.logf("%s is reachable", s.name)
	})
}

// heal ends all temporary faults.
func (w *world) heal() {
	w.logf("no more faults")
	w.lossRate = 0
	w.postgres.down, w.redis.down = false, false
	for _, n := range w.nodes {
		n.cut = nil
	}
}
