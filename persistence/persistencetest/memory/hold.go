package memory

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// holdGrace is that of package redis.
const holdGrace = time.Minute

// WriteHolds implements persistence.Holds.
func (c *Client) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	results := make([]error, len(writes))
	for i, w := range writes {
		results[i] = c.writeHold(w)
	}
	return results, nil
}

func (c *Client) writeHold(w persistence.HoldWrite) error {
	owner := persistence.Lease{Train: w.Guard.Train, Address: c.address, Owner: w.Guard.Owner}
	if held, ok := c.holder(w.Guard.Train); !ok || held.Lease != owner {
		return persistence.ErrFenced
	}
	if w.Op == persistence.HoldDrop {
		delete(c.state.holds[w.Guard.Train], w.Hold.ID)
		return nil
	}
	if c.state.holds[w.Guard.Train] == nil {
		c.state.holds[w.Guard.Train] = map[booking.HoldID]hold{}
	}
	// Computed with the clock of the process, like the deadline.
	ttl := max(w.Hold.ExpiresAt.Sub(c.local())+booking.HoldRetention, 0) + holdGrace
	c.state.holds[w.Guard.Train][w.Hold.ID] = hold{w.Hold, c.now().Add(ttl)}
	if w.Hold.Released {
		c.trimHolds(w.Guard.Train, w.Hold.User)
	}
	return nil
}

// trimHolds deletes the released holds of a user that are not among the latest.
func (c *Client) trimHolds(id booking.TrainID, user uuid.UUID) {
	holds := c.latestHolds(id, user, time.Time{})
	for _, h := range holds[min(len(holds), persistence.MaxHistory):] {
		if h.Released {
			delete(c.state.holds[id], h.ID)
		}
	}
}

// LoadHolds implements persistence.Holds. The holds of a train are ordered by id.
func (c *Client) LoadHolds(
	ctx context.Context, trains []booking.TrainID, now time.Time,
) ([]persistence.Result[persistence.HeldTrain], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	held := make([]persistence.Result[persistence.HeldTrain], len(trains))
	for i, id := range trains {
		l, _ := c.holder(id)
		held[i].Value = persistence.HeldTrain{Holds: c.liveHolds(id, now), Owner: l.Address}
	}
	return held, nil
}

// UserHolds implements persistence.Holds. Those of one deadline are ordered by id.
func (c *Client) UserHolds(
	ctx context.Context, id booking.TrainID, user uuid.UUID, now time.Time,
) ([]booking.Hold, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	holds := c.latestHolds(id, user, now.Add(-booking.HoldRetention))
	return holds[:min(len(holds), persistence.MaxHistory)], nil
}

// HoldsOfUser implements persistence.Holds. It returns all of them.
func (c *Client) HoldsOfUser(ctx context.Context, user uuid.UUID, now time.Time) (held persistence.HeldByUser, err error) {
	if err := ctx.Err(); err != nil {
		return held, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.state.holds {
		for _, h := range c.liveHolds(id, now) {
			if h.User == user {
				held.Holds = append(held.Holds, h)
			}
		}
	}
	return held, nil
}

// TrainsWithHolds implements persistence.Holds. The trains are ordered by id.
func (c *Client) TrainsWithHolds(ctx context.Context, now time.Time) ([]booking.TrainID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var trains []booking.TrainID
	for id := range c.state.holds {
		if len(c.liveHolds(id, now)) > 0 {
			trains = append(trains, id)
		}
	}
	slices.SortFunc(trains, func(a, b booking.TrainID) int {
		return booking.Cursor{ID: uuid.UUID(a)}.Compare(booking.Cursor{ID: uuid.UUID(b)})
	})
	return trains, nil
}

// latestHolds returns the holds of a user with a deadline after a time, the latest first.
func (c *Client) latestHolds(id booking.TrainID, user uuid.UUID, after time.Time) []booking.Hold {
	holds := slices.DeleteFunc(c.holdsAfter(id, after), func(h booking.Hold) bool { return h.User != user })
	slices.SortStableFunc(holds, func(a, b booking.Hold) int { return b.ExpiresAt.Compare(a.ExpiresAt) })
	return holds
}

// liveHolds returns the holds of a train that are live at now and not released, ordered by id.
func (c *Client) liveHolds(id booking.TrainID, now time.Time) []booking.Hold {
	return slices.DeleteFunc(c.holdsAfter(id, now), func(h booking.Hold) bool { return h.Released })
}

// holdsAfter returns the holds of a train with a deadline after a time, ordered by id.
func (c *Client) holdsAfter(id booking.TrainID, after time.Time) (found []booking.Hold) {
	for hid, h := range c.state.holds[id] {
		switch {
		case !h.until.After(c.now()):
			delete(c.state.holds[id], hid)
		case h.ExpiresAt.After(after):
			found = append(found, h.Hold)
		}
	}
	slices.SortFunc(found, func(a, b booking.Hold) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return found
}
