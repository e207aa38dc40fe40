package simulate

import "time"

// plan decides which faults there will be, and when: none at all for some seeds, so that
// what is slow to build up is seen too.
func (w *world) plan() {
	for range pick(w, 0, 2, 5, 10) {
		w.after(w.between(0, faultTime), w.fault)
	}
	w.after(faultTime, w.heal)
}

func (w *world) fault() {
	n := pick(w, w.nodes...)
	switch w.rng.IntN(12) {
	case 0, 1:
		n.pause(w.between(100*time.Millisecond, 15*time.Second))
	case 2, 3:
		w.crash(n)
	case 4:
		w.happens("Redis emptied")
		w.shared.Empty()
		w.token.counter = 0
		w.lostData()
	case 5:
		back, counter := w.shared.Snapshot(), w.token.counter
		w.after(w.between(time.Millisecond, 3*time.Second), func() {
			w.happens("Redis lost its last writes")
			back()
			w.token.counter = counter
			w.lostData()
		})
	case 6:
		by := pick(w, time.Minute, -time.Hour)
		w.happens("Redis's clock moved by " + by.String())
		w.shared.Jump(by)
		w.lostData()
	case 7:
		n.wall = pick(w, -time.Hour, -5*time.Second, -time.Second, time.Second, 5*time.Second, time.Hour)
		w.happens("a wall clock moved")
		w.say("the clock of %s is ahead by %s", n.address, n.wall)
		w.wallMoved()
	case 8:
		w.away(w.postgres)
	case 9:
		w.away(w.redis)
	case 10:
		w.happens("a node cut off")
		n.cut = pick(w, w.postgres, w.redis)
		w.say("%s does not reach %s", n.address, n.cut.name)
		w.after(w.between(100*time.Millisecond, 10*time.Second), func() { n.cut = nil })
	case 11:
		w.happens("a train handed over")
		if n.active != nil && !n.down {
			active := n.active
			n.do(active.halt)
		}
	}
}

func (w *world) happens(fault string) {
	w.coverage["faults: "+fault]++
	w.say("%s", fault)
}

func (w *world) crash(n *node) {
	if n.down {
		return
	}
	w.coverage["faults: node died"]++
	n.crash()
	w.after(w.between(50*time.Millisecond, 8*time.Second), func() {
		w.say("%s starts", n.address)
		n.start()
	})
}

func (w *world) away(s *server) {
	w.happens(s.name + " out of reach")
	s.down = true
	w.after(w.between(50*time.Millisecond, 8*time.Second), func() {
		s.down = false
		w.say("%s is back", s.name)
	})
}

// heal ends the faults that end by themselves sooner or later.
func (w *world) heal() {
	w.say("no more faults")
	w.lossRate = 0
	w.postgres.down, w.redis.down = false, false
	for _, n := range w.nodes {
		n.cut = nil
	}
}
