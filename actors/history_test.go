package actors_test

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// history is what clients were told, and what follows from it for certain: from when
// until when a hold or a booking must have been alive. An answer says that it is alive
// from then on; the first call that may end it says until when.
type history struct {
	mu       sync.Mutex
	told     map[any]*stay                 // by booking.HoldID, or uuid.UUID of a booking
	ends     map[any][]time.Time           // when the calls that may end it began
	refused  []uuid.UUID                   // bookings that were not made, so it was told
	deleting map[booking.TrainID]time.Time // when a deletion was first asked for
	wrong    []string
}

// stay is seats that were somebody's for certain, over [from, until).
type stay struct {
	what        any
	train       booking.TrainID
	user        uuid.UUID
	legs        booking.Legs
	seats       []int
	from, until time.Time
}

func newHistory() *history {
	return &history{told: map[any]*stay{}, ends: map[any][]time.Time{}, deleting: map[booking.TrainID]time.Time{}}
}

// alive notes that a client was just told of a hold or a booking.
func (h *history) alive(s stay) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told[s.what] == nil {
		s.from = time.Now()
		h.told[s.what] = &s
	}
}

// knows reports whether a client was told of what.
func (h *history) knows(what any) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told[what] != nil
}

// refuse notes that a client was told that a booking is not made.
func (h *history) refuse(id uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = append(h.refused, id)
}

// ending notes that a call begins that may end what.
func (h *history) ending(what any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ends[what] = append(h.ends[what], time.Now())
}

// endings returns how many calls have begun that may have ended what.
func (h *history) endings(what any) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ends[what])
}

// deletes notes that a call begins that may delete a train.
func (h *history) deletes(id booking.TrainID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deleting[id].IsZero() {
		h.deleting[id] = time.Now()
	}
}

// deleted reports whether the train may have been deleted.
func (h *history) deleted(id booking.TrainID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.deleting[id].IsZero()
}

func (h *history) accuse(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = append(h.wrong, fmt.Sprintf(format, args...))
}

// certain returns what was alive for certain, with its end.
func (h *history) certain() []stay {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []stay
	for _, s := range h.told {
		certain := *s
		for _, end := range append(h.ends[s.what], h.deleting[s.train]) {
			if !end.IsZero() && end.Before(certain.until) {
				certain.until = end
			}
		}
		if certain.from.Before(certain.until) {
			all = append(all, certain)
		}
	}
	return all
}

// doubles accuses every two stays that share a seat, a leg and a moment (I1, I2, I4).
func (h *history) doubles() {
	all := h.certain()
	for i, a := range all {
		for _, b := range all[:i] {
			if a.train == b.train && a.legs.Overlaps(b.legs) && a.from.Before(b.until) && b.from.Before(a.until) &&
				slices.ContainsFunc(a.seats, func(n int) bool { return slices.Contains(b.seats, n) }) {
				h.accuse("sold or held twice: %+v and %+v", a, b)
			}
		}
	}
}

// limits accuses every user who held more seats of a train at once than allowed (I9).
func (h *history) limits(limit int) {
	all := slices.DeleteFunc(h.certain(), func(s stay) bool {
		_, isHold := s.what.(booking.HoldID)
		return !isHold
	})
	for _, a := range all {
		held := 0
		for _, b := range all {
			if a.user == b.user && a.train == b.train && !b.from.After(a.from) && a.from.Before(b.until) {
				held += len(b.seats)
			}
		}
		if held > limit {
			h.accuse("%s holds %d seats of %s", a.user, held, a.train)
		}
	}
}
