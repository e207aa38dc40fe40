package simulate

import "slices"

// confirms reports whether a request to confirm a hold, or some of its seats, by its id made the booking.
func (r *request) confirms(b *sold) bool {
	if b.hold != r.ref.Hold || b.User != r.user.id {
		return false
	}
	return slices.Equal(r.ref.Seats, b.Seats) || len(r.ref.Seats) == 0 && b.ID == bookingID(r.user, b.hold)
}

// keepsTheRest records that a hold has its other seats after a part was confirmed or released, unless
// another request may have ended it.
func (l *ledger) keepsTheRest(r *request) {
	rec := r.record.hold
	if rec == nil || len(r.ref.Seats) == 0 || rec.endings != r.record.endings {
		return
	}
	rest := slices.DeleteFunc(slices.Clone(rec.Seats), func(n int) bool { return slices.Contains(r.ref.Seats, n) })
	if len(rest) > 0 {
		rec.Seats, rec.certain = rest, true
		l.coverage["holds kept in part"]++
	}
}
