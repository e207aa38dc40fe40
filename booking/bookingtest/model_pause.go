package bookingtest

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// want records that a user was refused seats that others hold.
func (m *Model) want(user uuid.UUID, seats []int, from, to int, now time.Time) {
	for _, n := range seats {
		for _, k := range m.conflicting(n, from, to, now) {
			if k.State != Booked && k.Hold.User != user {
				k.wanted = append(k.wanted, n)
			}
		}
	}
}

// heldByOthers reports whether the tickets that have a seat are holds, not all of them the user's.
func (m *Model) heldByOthers(user uuid.UUID, tickets []*Ticket) bool {
	return slices.ContainsFunc(tickets, func(k *Ticket) bool { return k.Hold.User != user }) &&
		!slices.ContainsFunc(tickets, func(k *Ticket) bool { return k.State == Booked })
}

// pausedUntil returns when the user may hold a seat again that somebody else wanted while the user held
// it; zero: now.
func (m *Model) pausedUntil(user uuid.UUID, seat, from, to int, now time.Time) (until time.Time) {
	for _, k := range m.ofUser(user) {
		ended := k.Hold.ExpiresAt
		switch {
		case k.State == Released:
			ended = k.released
		case k.State != Held || k.Live(now):
			continue
		}
		end := ended.Add(m.rules.ReholdPause)
		if slices.Contains(k.wanted, seat) && k.from < to && from < k.to && end.After(now) && end.After(until) {
			until = end
		}
	}
	return until
}
