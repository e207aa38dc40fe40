package booking

import "time"

// Extend decides to extend a live hold at now by one TTL. If it was extended before, it is returned
// unchanged and made is false. Otherwise the hold is extending: store the one that is returned, then
// report Extended or ExtendFailed. Errors as Service.Extend, and *InTransitError.
//
// So a hold ends at most two TTLs after it was made.
func (m *SeatMap) Extend(ref HoldRef, rules HoldRules, history History, now time.Time) (hold Hold, made bool, err error) {
	h, _, err := m.resolve(ref, history, now)
	switch {
	case err != nil:
		return Hold{}, false, err
	case h == nil: // booked
		return Hold{}, false, errNotLocked()
	case h.phase != PhaseHeld:
		return Hold{}, false, &InTransitError{h.ID}
	case !h.deadline.After(now):
		return Hold{}, false, errExpired(h.ExpiresAt)
	case !m.train.Sells(now):
		return Hold{}, false, m.errNotOnSale()
	case h.Extended:
		return h.Hold, false, nil
	}
	h.phase = PhaseExtending
	extended := h.Hold
	extended.ExpiresAt, extended.Extended = h.ExpiresAt.Add(rules.TTL), true
	return extended, true, nil
}

// Extended replaces an extending hold by the one that was stored.
func (m *SeatMap) Extended(extended Hold) {
	h := m.inPhase(extended.ID, PhaseExtending)
	if h == nil {
		return
	}
	h.deadline = h.deadline.Add(extended.ExpiresAt.Sub(h.ExpiresAt))
	h.Hold, h.phase, h.hasTimer = extended, PhaseHeld, false
	m.startTimer(h)
}

// ExtendFailed makes a hold held again because its extension was not stored.
func (m *SeatMap) ExtendFailed(id HoldID) { m.settle(id, PhaseExtending) }
