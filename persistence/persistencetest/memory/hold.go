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
	return nil
}

// LoadHolds implements persistence.Holds. The holds are ordered by id.
func (c *Client) LoadHolds(ctx context.Context, id booking.TrainID, now time.Time) ([]booking.Hold, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.holdsAfter(id, now.Add(-booking.HoldRetention)), nil
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
		if slices.ContainsFunc(c.holdsAfter(id, now), func(h booking.Hold) bool { return !h.Released }) {
			trains = append(trains, id)
		}
	}
	slices.SortFunc(trains, func(a, b booking.TrainID) int {
		return booking.Cursor{ID: uuid.UUID(a)}.Compare(booking.Cursor{ID: uuid.UUID(b)})
	})
	return trains, nil
}

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
