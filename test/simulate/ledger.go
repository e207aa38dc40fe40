package simulate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// ledger is what was acknowledged and what committed, and what follows from both.
type ledger struct {
	*world
	records   map[booking.HoldID]*record
	holds     []*record // in the order of their requests
	endings   []*request
	sold      []*sold
	byID      map[uuid.UUID]*sold
	epoch     int64 // of the train
	committer int64 // epoch of the last booking
	exempt    time.Duration
}

// record is what is known of the hold of an id.
type record struct {
	booking.Hold
	user     *user
	want     int           // seats asked for
	called   time.Duration // the last request for it
	open     int           // requests for it of which it is not known whether they are over
	ended    time.Duration // the call of the last that ended it and was told so; -1
	answered time.Duration // the last answer to one
	until    time.Duration // that its user was told, as true time shows it
	sure     bool          // acknowledged, and nothing asked that may end it
	asked    int           // counts what may end it
}

// sold is a booking as it was committed.
type sold struct {
	booking.Booking
	hold      booking.HoldID
	at        time.Duration
	by        *request
	cancelled bool // in the store
	cancel    bool // was asked for
}

// judged is what the ledger keeps of a request.
type judged struct {
	record  *record // of a hold that could be confirmed when that was asked
	asked   int
	done    bool // it wrote
	refused bool // its user was told that it did not
}

// brokenError is a promise that was broken.
type brokenError struct{ promise, how string }

func (e brokenError) Error() string { return e.promise + ": " + e.how }

func newLedger(w *world) *ledger {
	return &ledger{world: w, records: map[booking.HoldID]*record{}, byID: map[uuid.UUID]*sold{}}
}

func (l *ledger) broken(promise, format string, args ...any) {
	e := brokenError{promise, fmt.Sprintf(format, args...)}
	l.say("BROKEN %s", e.Error())
	panic(e)
}

// brokenUnlessExempt is broken, unless Redis has lost data not long ago.
func (l *ledger) brokenUnlessExempt(promise, format string, args ...any) {
	if l.now < l.exempt {
		l.coverage["exempted: "+promise]++
		return
	}
	l.broken(promise, format, args...)
}

// lostData begins a time in which I2, I3, I4 and I9 may be broken. A clock that jumps loses
// data too: leases end (ahead), or are taken off as impossible ones (back), while their
// owners live and answer from memory until they renew.
func (w *world) lostData() {
	w.coverage["windows of exemption"]++
	w.ledger.exempt = max(w.ledger.exempt, w.now+w.rules.TTL+w.spread)
}

// wallMoved keeps by how much clocks were apart at most, and how much earlier than its user
// was told a hold may end by that: whoever gave it was ahead of true time, and it went on to
// one that is ahead of another, which had shortened it.
func (w *world) wallMoved() {
	for _, a := range w.nodes {
		w.ahead = max(w.ahead, a.wall)
		for _, b := range w.nodes {
			w.spread = max(w.spread, a.wall-b.wall)
		}
	}
	w.blur = w.ahead + w.spread
}

// live reports whether a hold that was acknowledged is one for sure.
func (l *ledger) live(r *record) bool { return r.sure && l.now < r.until-l.blur }

func (r *record) overlaps(seats []int, legs booking.Legs) bool {
	return r.Legs.Overlaps(legs) && slices.ContainsFunc(seats, func(n int) bool { return slices.Contains(r.Seats, n) })
}

// concerns reports whether what r asks may end the hold.
func (r *request) concerns(rec *record) bool {
	if r.kind != confirm && r.kind != release || r.user != rec.user {
		return false
	}
	return r.ref.Hold == rec.ID || r.ref.Hold.IsZero() && (rec.Seats == nil || slices.Contains(rec.Seats, r.ref.Seat))
}

// calls is told of each request when it is made.
func (l *ledger) calls(r *request) {
	switch r.kind {
	case hold:
		rec := l.records[r.hold.ID]
		if rec == nil {
			rec = &record{Hold: booking.Hold{ID: r.hold.ID, User: r.user.id}, user: r.user, ended: -1}
			l.records[r.hold.ID] = rec
			l.holds = append(l.holds, rec)
		}
		rec.called, rec.want = r.now, max(len(r.hold.Seats), r.hold.Count)
		rec.open++
	case confirm, release:
		l.endings = append(l.endings, r)
		for _, rec := range l.holds {
			if !r.concerns(rec) {
				continue
			}
			rec.asked++
			if l.live(rec) && rec.ID == r.ref.Hold {
				r.judged.record, r.judged.asked = rec, rec.asked
			}
			rec.sure = false
		}
	case cancel:
		if b := l.byID[r.booking]; b != nil {
			b.cancel = true
		}
	}
}

// returns is told of each answer that reached its user.
func (l *ledger) returns(r *request, value any, err error) {
	l.judgeOutcome(r, err)
	switch r.kind {
	case hold:
		l.held(r, value, err)
	case confirm:
		l.confirmed(r, value, err)
	case release:
		l.released(r, err)
	case cancel:
		if b := l.byID[r.booking]; err == nil && b != nil && !b.cancelled {
			l.broken("I5", "a cancellation was acknowledged that is not stored: %s", r.what())
		}
	case see:
		if err == nil {
			l.seen(value.(*booking.Snapshot))
		}
	}
}

// judgeOutcome looks at what a user is told about whether anything happened.
func (l *ledger) judgeOutcome(r *request, err error) {
	e, failed := errors.AsType[*booking.Error](err)
	if err == nil || failed && e.Outcome != booking.OutcomeUnknown {
		r.returned = l.now
		if r.kind == hold {
			l.records[r.hold.ID].open--
			l.records[r.hold.ID].answered = l.now
		}
	}
	if !failed {
		return
	}
	if e.Outcome != "" && r.called > faultTime+healTime {
		l.broken("I7", "%s failed long after the last fault: %v", r.what(), err)
	}
	// What else was refused (409) may have been asked by another attempt too, which was lost
	// and may be taken up yet: that says not_executed of itself alone (docs/decisions/0001).
	certain := e.Outcome == booking.OutcomeNotExecuted || !r.lost
	if r.returned == l.now && certain && (r.kind == confirm || r.kind == cancel) {
		r.judged.refused = true
		if r.judged.done {
			l.broken("I5", "%s was executed, and its user is told %v", r.what(), err)
		}
	}
}

func (l *ledger) held(r *request, value any, err error) {
	if err != nil {
		if booking.CodeOf(err) == booking.CodeTooManyHolds {
			l.limited(r)
		}
		return
	}
	h := value.(booking.Hold)
	rec := l.records[h.ID]
	until := h.ExpiresAt.Sub(dawn)
	if rec.sure {
		until = min(until, rec.until) // it was shortened
	}
	rec.Hold, rec.until = h, until
	rec.sure = !slices.ContainsFunc(l.endings, func(e *request) bool { return e.returned >= r.called && e.concerns(rec) })
	if !l.live(rec) {
		return
	}
	l.heldBesideBookings(r, rec)
	l.heldBesideHolds(r, rec)
}

func (l *ledger) heldBesideBookings(r *request, rec *record) {
	for _, b := range l.sold {
		if !b.cancelled && !b.cancel && b.at < r.called && b.hold != rec.ID && rec.overlaps(b.Seats, b.Legs) {
			l.brokenUnlessExempt("I4", "%s is held, and booked by hold %s since %s", r.what(), short(b.hold), b.at)
		}
	}
}

func (l *ledger) heldBesideHolds(r *request, rec *record) {
	mine := 0
	for _, other := range l.holds {
		if !l.live(other) {
			continue
		}
		if other.user == r.user {
			mine += len(other.Seats)
		}
		if other != rec && rec.overlaps(other.Seats, other.Legs) {
			l.brokenUnlessExempt("I2", "%s of %s is acknowledged, and %s has hold %s", r.what(), r.user.name, other.user.name, short(other.ID))
		}
	}
	if mine > l.rules.MaxSeats {
		l.brokenUnlessExempt("I9", "%s holds %d seats", r.user.name, mine)
	}
}

// limited judges a refusal for too many holds: the user must have had so many, or perhaps
// so many.
func (l *ledger) limited(r *request) {
	perhaps := max(len(r.hold.Seats), r.hold.Count)
	for _, rec := range l.holds {
		recent := rec.called+l.rules.TTL+l.spread+askTimeout >= r.called
		if rec.user == r.user && rec.ID != r.hold.ID && recent && (rec.ended < rec.called) {
			perhaps += rec.want
		}
	}
	if perhaps <= l.rules.MaxSeats {
		l.brokenUnlessExempt("I9", "%s may hold %d at most, and is refused %s", r.user.name, perhaps, r.what())
	}
}

func (l *ledger) confirmed(r *request, value any, err error) {
	if err == nil {
		b := value.(booking.Booking)
		stored := l.byID[b.ID]
		switch {
		case stored == nil || stored.cancelled && !stored.cancel:
			l.broken("I5", "%s is acknowledged and not stored", r.what())
		case !r.ref.Hold.IsZero() && stored.hold != r.ref.Hold:
			l.broken("I5", "%s is answered with what hold %s became", r.what(), short(stored.hold))
		}
		l.endedBy(r)
		return
	}
	if booking.CodeOf(err) == booking.CodeSeatNotLocked {
		l.refused(r)
	}
}

// refused judges that a confirm finds nothing to confirm.
func (l *ledger) refused(r *request) {
	if rec := r.judged.record; rec != nil && rec.asked == r.judged.asked && l.now < rec.until-l.blur {
		l.brokenUnlessExempt("I3", "%s has hold %s until %s, and cannot confirm it", r.user.name, short(rec.ID), rec.until)
	}
	// Exempt is what an owner says that does not know yet that Redis lost its lease.
	for _, b := range l.sold {
		if b.hold == r.ref.Hold && b.User == r.user.id && b.at < r.called && !b.cancel {
			l.brokenUnlessExempt("I5", "%s is refused, and was executed at %s", r.what(), b.at)
		}
	}
}

func (l *ledger) released(r *request, err error) {
	if err == nil {
		l.endedBy(r)
	}
}

func (l *ledger) endedBy(r *request) {
	rec := l.records[r.ref.Hold]
	if rec != nil && rec.user == r.user && rec.open == 0 && rec.called < r.called && r.called > rec.answered {
		rec.ended = r.called
	}
}

// adopted is told of each new epoch.
func (l *ledger) adopted(epoch int64) {
	if epoch <= l.epoch {
		l.broken("I6", "epoch %d comes after %d", epoch, l.epoch)
	}
	l.epoch = epoch
}

// committed is told of each booking that was written.
func (l *ledger) committed(s sale) {
	b := &sold{Booking: s.Booking, hold: s.hold, at: l.now, by: s.by}
	if l.tracing {
		l.say("booked: hold %s, seats %v legs %s, epoch %d", short(s.hold), b.Seats, b.Legs, s.Guard.Epoch)
	}
	if s.by.judged.refused {
		l.broken("I5", "%s is executed, and its user was told that it is not", s.by.what())
	}
	s.by.judged.done = true
	if s.Guard.Epoch < l.committer {
		l.broken("I6", "a booking of epoch %d commits after one of %d", s.Guard.Epoch, l.committer)
	}
	l.committer = s.Guard.Epoch
	for _, other := range l.sold {
		if !other.cancelled && other.Legs.Overlaps(b.Legs) &&
			slices.ContainsFunc(b.Seats, func(n int) bool { return slices.Contains(other.Seats, n) }) {
			l.broken("I1", "hold %s and hold %s are booked", short(other.hold), short(b.hold))
		}
	}
	for _, rec := range l.holds {
		if rec.ID != b.hold && l.live(rec) && rec.overlaps(b.Seats, b.Legs) {
			l.brokenUnlessExempt("I3", "%s has hold %s, and hold %s is booked", rec.user.name, short(rec.ID), short(b.hold))
		}
	}
	l.sold = append(l.sold, b)
	l.byID[b.ID] = b
	l.count()
}

// cancelled is told of each cancellation that was written.
func (l *ledger) cancelled(id uuid.UUID, by *request) {
	if by.judged.refused {
		l.broken("I5", "%s is executed, and its user was told that it is not", by.what())
	}
	by.judged.done = true
	l.byID[id].cancelled = true
	l.count()
}

// count compares the seats of the store with the bookings, leg by leg.
func (l *ledger) count() {
	for leg := range len(l.train.Stops) - 1 {
		legs := booking.Segment(leg, leg+1)
		want := 0
		for _, b := range l.sold {
			if !b.cancelled && b.Legs.Overlaps(legs) {
				want += len(b.Seats)
			}
		}
		got, err := l.store.BookedSeats(background, []booking.TrainID{l.train.ID}, []booking.Legs{legs})
		if err != nil || got[0] != want {
			l.broken("I8", "%d seats are sold on leg %d, and bookings have %d", got[0], leg, want)
		}
	}
}

// seen judges what is shown of the train.
func (l *ledger) seen(s *booking.Snapshot) {
	for leg := range len(l.train.Stops) - 1 {
		legs := booking.Segment(leg, leg+1)
		var states booking.Tally
		for _, seat := range s.Seats(legs) {
			switch seat.State {
			case booking.SeatAvailable:
				states.Available++
			case booking.SeatHeld:
				states.Held++
			case booking.SeatBooked:
				states.Booked++
			}
		}
		t := s.Tally(legs)
		if t != states || t.Available+t.Held+t.Booked != l.train.Capacity {
			l.broken("I10", "leg %d is shown as %v, its seats as %v", leg, t, states)
		}
	}
}

// close looks at what is stored in the end.
func (l *ledger) close() {
	for _, b := range l.sold {
		stored, err := l.store.FindBooking(background, b.ID)
		if err != nil || stored.CancelledAt.IsZero() == b.cancelled {
			l.broken("I5", "what hold %s became is not stored as it was written", short(b.hold))
		}
	}
}
