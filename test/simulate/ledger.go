package simulate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ledger records what was acknowledged and what was committed, and checks the promises.
type ledger struct {
	*world
	records   map[booking.HoldID]*holdRecord
	holds     []*holdRecord // in the order of their requests
	endings   []*request
	sold      []*sold
	byID      map[uuid.UUID]*sold
	epoch     int64 // of the train
	committer int64 // the epoch of the last booking
	exempt    time.Duration
	byHand    map[int]booking.Legs         // legs of seats that were sold by hand
	becomes   map[uuid.UUID]booking.HoldID // the hold of each booking
}

// holdRecord is the history of a hold.
type holdRecord struct {
	booking.Hold
	user      *user
	want      int           // requested seats
	called    time.Duration // the last request for it
	open      int           // requests for it whose outcome is unknown
	ended     time.Duration // when the last acknowledged request that ended it was made; -1: never
	responded time.Duration // the last response to a request for it
	until     time.Duration // the acknowledged deadline, in true time
	certain   bool          // acknowledged, and no request may have ended it
	endings   int           // the number of requests that may end it
}

// sold is a committed booking.
type sold struct {
	booking.Booking
	hold      booking.HoldID
	at        time.Duration
	by        *request
	cancelled bool // in the store
	cancel    bool // requested
}

// requestRecord is what the ledger keeps of a request.
type requestRecord struct {
	hold    *holdRecord // the hold that it refers to, if that was live at the request
	endings int         // of hold, at the request
	done    bool        // it was executed
	refused bool        // its user got a final refusal
}

// brokenError is a promise that was broken.
type brokenError struct{ promise, how string }

func (e brokenError) Error() string { return e.promise + ": " + e.how }

func newLedger(w *world) *ledger {
	return &ledger{
		world: w, records: map[booking.HoldID]*holdRecord{}, byID: map[uuid.UUID]*sold{},
		byHand: map[int]booking.Legs{}, becomes: map[uuid.UUID]booking.HoldID{},
	}
}

func (l *ledger) broken(promise, format string, args ...any) {
	e := brokenError{promise, fmt.Sprintf(format, args...)}
	l.logf("BROKEN %s", e.Error())
	panic(e)
}

// brokenUnlessExempt calls broken, unless Redis has lost data recently.
func (l *ledger) brokenUnlessExempt(promise, format string, args ...any) {
	if l.now < l.exempt {
		l.coverage["exempted: "+promise]++
		return
	}
	l.broken(promise, format, args...)
}

// lostData starts a period in which I2, I3, I4 and I9 may be broken: for two hold TTLs, as long as an
// extended hold lasts, holds may be lost, and for a lease term an owner may respond that has not noticed that it lost its lease. A
// clock jump loses data too: leases expire (forward) or are removed as invalid (back).
func (w *world) lostData() {
	w.coverage["periods of exemption"]++
	period := max(2*w.rules.TTL+w.skew, persistence.LeaseTTL-persistence.LeaseMargin)
	w.ledger.exempt = max(w.ledger.exempt, w.now+period)
}

// wallMoved updates skew, ahead and tolerance. A hold ends early if the node that granted it was
// ahead of true time, and it then moved to a node that is ahead of the one that shortened it.
func (w *world) wallMoved() {
	for _, a := range w.nodes {
		w.ahead = max(w.ahead, a.wall)
		for _, b := range w.nodes {
			w.skew = max(w.skew, a.wall-b.wall)
		}
	}
	w.tolerance = w.ahead + w.skew
}

// live reports whether a hold was acknowledged and has certainly not ended.
func (l *ledger) live(r *holdRecord) bool { return r.certain && l.now < r.until-l.tolerance }

func (r *holdRecord) overlaps(seats []int, legs booking.Legs) bool {
	return r.Legs.Overlaps(legs) && slices.ContainsFunc(seats, func(n int) bool { return slices.Contains(r.Seats, n) })
}

// mayEnd reports whether r may end the hold.
func (r *request) mayEnd(rec *holdRecord) bool {
	if r.kind != confirm && r.kind != release || r.user != rec.user {
		return false
	}
	return r.ref.Hold == rec.ID || r.ref.Hold.IsZero() && (rec.Seats == nil || slices.Contains(rec.Seats, r.ref.Seat))
}

// requestMade records a request when it is made.
func (l *ledger) requestMade(r *request) {
	switch r.kind {
	case hold:
		rec := l.records[r.hold.ID]
		if rec == nil {
			rec = &holdRecord{Hold: booking.Hold{ID: r.hold.ID, User: r.user.id}, user: r.user, ended: -1}
			l.records[r.hold.ID] = rec
			l.holds = append(l.holds, rec)
			l.becomes[bookingID(r.user, rec.ID)] = rec.ID
		}
		rec.called, rec.want = r.now, max(len(r.hold.Seats), r.hold.Count)
		rec.open++
	case confirm, release:
		if len(r.ref.Seats) > 0 {
			l.becomes[booking.BookingIDOf(r.user.id, r.ref.Hold.Part(r.ref.Seats))] = r.ref.Hold
		}
		l.endings = append(l.endings, r)
		for _, rec := range l.holds {
			if !r.mayEnd(rec) {
				continue
			}
			rec.endings++
			if l.live(rec) && rec.ID == r.ref.Hold {
				r.record.hold, r.record.endings = rec, rec.endings
			}
			rec.certain = false
		}
	case cancel:
		if b := l.byID[r.booking]; b != nil {
			b.cancel = true
		}
	}
}

// requestEnded records a result that reached its user.
func (l *ledger) requestEnded(r *request, value any, err error) {
	l.checkOutcome(r, err)
	switch r.kind {
	case hold:
		l.held(r, value, err)
	case confirm:
		l.confirmed(r, value, err)
	case extend:
		l.extended(value, err)
	case release:
		l.released(r, err)
	case cancel:
		if b := l.byID[r.booking]; err == nil && b != nil && !b.cancelled {
			l.broken("I5", "a cancellation was acknowledged but not stored: %s", r.describe())
		}
		if err == nil {
			l.checkNoHold(r.booking)
		}
	}
}

// checkOutcome checks the outcome in an error that a user gets.
func (l *ledger) checkOutcome(r *request, err error) {
	e, failed := errors.AsType[*booking.Error](err)
	if err == nil || failed && e.Outcome != booking.OutcomeUnknown {
		r.returned = l.now
		if r.kind == hold {
			l.records[r.hold.ID].open--
			l.records[r.hold.ID].responded = l.now
		}
	}
	if !failed {
		return
	}
	if e.Outcome != "" && r.called > faultTime+healTime {
		l.broken("I7", "%s failed long after the last fault: %v", r.describe(), err)
	}
	// Another refusal (409) applies only to its own attempt: an earlier one, which was lost, may
	// still be executed (docs/decisions/0001).
	isFinal := e.Outcome == booking.OutcomeNotExecuted || !r.lost
	if r.returned == l.now && isFinal && (r.kind == confirm || r.kind == cancel) {
		r.record.refused = true
		if r.record.done {
			l.broken("I5", "%s was executed, but its user gets %v", r.describe(), err)
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
	until := h.ExpiresAt.Sub(startTime)
	if rec.certain {
		until = min(until, rec.until) // it may have been shortened
	}
	rec.Hold, rec.until = h, until
	rec.certain = !l.isSoldByHand(rec) && !slices.ContainsFunc(l.endings, func(e *request) bool { return e.returned >= r.called && e.mayEnd(rec) })
	if !l.live(rec) {
		return
	}
	l.heldBesideBookings(r, rec)
	l.heldBesideHolds(r, rec)
}

func (l *ledger) heldBesideBookings(r *request, rec *holdRecord) {
	for _, b := range l.sold {
		if !b.cancelled && !b.cancel && b.at < r.called && b.hold != rec.ID && rec.overlaps(b.Seats, b.Legs) {
			l.brokenUnlessExempt("I4", "%s is acknowledged, but hold %s is booked since %s", r.describe(), shortID(b.hold), b.at)
		}
	}
}

func (l *ledger) heldBesideHolds(r *request, rec *holdRecord) {
	mine := 0
	for _, other := range l.holds {
		if !l.live(other) {
			continue
		}
		if other.user == r.user {
			mine += len(other.Seats)
		}
		if other != rec && rec.overlaps(other.Seats, other.Legs) {
			l.brokenUnlessExempt("I2", "%s of %s is acknowledged, but %s has hold %s", r.describe(), r.user.name, other.user.name, shortID(other.ID))
		}
	}
	if mine > l.rules.MaxSeats {
		l.brokenUnlessExempt("I9", "%s holds %d seats", r.user.name, mine)
	}
}

// limited checks a refusal for too many holds: it must be possible that the user has reached the
// limit.
func (l *ledger) limited(r *request) {
	perhaps := max(len(r.hold.Seats), r.hold.Count)
	for _, rec := range l.holds {
		recent := rec.called+2*l.rules.TTL+l.skew+requestTimeout >= r.called
		if rec.user == r.user && rec.ID != r.hold.ID && recent && (rec.ended < rec.called) {
			perhaps += rec.want
		}
	}
	if perhaps <= l.rules.MaxSeats {
		l.brokenUnlessExempt("I9", "%s has at most %d seats, but is refused %s", r.user.name, perhaps, r.describe())
	}
}

func (l *ledger) confirmed(r *request, value any, err error) {
	if err == nil {
		b := value.(booking.Booking)
		stored := l.byID[b.ID]
		switch {
		case stored == nil || stored.cancelled && !stored.cancel:
			l.broken("I5", "%s is acknowledged but not stored", r.describe())
		case !r.ref.Hold.IsZero() && stored.hold != r.ref.Hold:
			l.broken("I5", "%s returned the booking of hold %s", r.describe(), shortID(stored.hold))
		}
		l.endedBy(r)
		l.keepsTheRest(r)
		return
	}
	if code := booking.CodeOf(err); code == booking.CodeSeatNotLocked || code == booking.CodeHoldExpired {
		l.refused(r)
	}
}

// refused checks a confirm that found no hold.
func (l *ledger) refused(r *request) {
	if rec := r.record.hold; rec != nil && rec.endings == r.record.endings && l.now < rec.until-l.tolerance {
		l.brokenUnlessExempt("I3", "%s has hold %s until %s, but cannot confirm it", r.user.name, shortID(rec.ID), rec.until)
	}
	// An owner that has not noticed yet that Redis lost its lease is exempt.
	for _, b := range l.sold {
		if r.confirms(b) && b.at < r.called && !b.cancel {
			l.brokenUnlessExempt("I5", "%s is refused, but was executed at %s", r.describe(), b.at)
		}
	}
}

// extended records a later deadline of a hold, unless a request may have ended it.
func (l *ledger) extended(value any, err error) {
	if err != nil {
		return
	}
	h := value.(booking.Hold)
	if rec := l.records[h.ID]; rec.certain {
		rec.Hold, rec.until = h, h.ExpiresAt.Sub(startTime)
	}
}

func (l *ledger) released(r *request, err error) {
	if err == nil {
		l.endedBy(r)
		l.keepsTheRest(r)
	}
}

// endedBy records the end of a hold. After a request for some of its seats, others may be held.
func (l *ledger) endedBy(r *request) {
	rec := l.records[r.ref.Hold]
	if rec != nil && len(r.ref.Seats) == 0 && rec.user == r.user && rec.open == 0 && rec.called < r.called && r.called > rec.responded {
		rec.ended = r.called
	}
}

// adopted records a new epoch.
func (l *ledger) adopted(epoch int64) {
	if epoch <= l.epoch {
		l.broken("I6", "epoch %d follows epoch %d", epoch, l.epoch)
	}
	l.epoch = epoch
}

// committed records a booking that was written.
func (l *ledger) committed(s sale) {
	b := &sold{Booking: s.Booking, hold: l.becomes[s.Booking.ID], at: l.now, by: s.by}
	if l.logging {
		l.logf("booked: hold %s, seats %v legs %s, epoch %d", shortID(b.hold), b.Seats, b.Legs, s.Guard.Epoch)
	}
	if s.by.record.refused {
		l.broken("I5", "%s was executed after its user got a refusal", s.by.describe())
	}
	s.by.record.done = true
	if s.Guard.Epoch < l.committer {
		l.broken("I6", "a booking of epoch %d commits after one of %d", s.Guard.Epoch, l.committer)
	}
	l.committer = s.Guard.Epoch
	for _, other := range l.sold {
		if !other.cancelled && other.Legs.Overlaps(b.Legs) &&
			slices.ContainsFunc(b.Seats, func(n int) bool { return slices.Contains(other.Seats, n) }) {
			l.broken("I1", "hold %s and hold %s are both booked", shortID(other.hold), shortID(b.hold))
		}
	}
	for _, rec := range l.holds {
		if rec.ID != b.hold && l.live(rec) && rec.overlaps(b.Seats, b.Legs) {
			l.brokenUnlessExempt("I3", "%s has hold %s, but hold %s is booked", rec.user.name, shortID(rec.ID), shortID(b.hold))
		}
	}
	l.sold = append(l.sold, b)
	l.byID[b.ID] = b
	l.checkSeats()
}

// cancelled records a cancellation that was written.
func (l *ledger) cancelled(id uuid.UUID, by *request) {
	if by.record.refused {
		l.broken("I5", "%s was executed after its user got a refusal", by.describe())
	}
	by.record.done = true
	l.byID[id].cancelled = true
	l.checkSeats()
}

// soldByHand records that a seat was sold by hand. Holds of it cannot be confirmed from now on.
func (l *ledger) soldByHand(seat int, legs booking.Legs) {
	l.byHand[seat] |= legs
	for _, rec := range l.holds {
		rec.certain = rec.certain && !l.isSoldByHand(rec)
		if l.isSoldByHand(rec) {
			rec.endings++ // also for requests in flight
		}
	}
}

// isSoldByHand reports whether a seat of a hold was sold by hand.
func (l *ledger) isSoldByHand(rec *holdRecord) bool {
	return slices.ContainsFunc(rec.Seats, func(n int) bool { return l.byHand[n].Overlaps(rec.Legs) })
}
