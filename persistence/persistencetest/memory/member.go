package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"trainbooking.dev/persistence"
)

// These are those of package redis.
const (
	maxSilence       = persistence.MemberTTL / 3
	minBetweenLosses = 2 * persistence.MemberTTL
)

// Join implements persistence.Members.
func (c *Client) Join(ctx context.Context, member string) (persistence.Membership, error) {
	return c.addMember(ctx, member, true)
}

// Heartbeat implements persistence.Members.
func (c *Client) Heartbeat(ctx context.Context, member string) (persistence.Membership, error) {
	return c.addMember(ctx, member, false)
}

func (c *Client) addMember(ctx context.Context, member string, join bool) (m persistence.Membership, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, clock, lost := c.membersClock()
	if lost {
		clear(c.state.heartbeats)
		c.state.born = now
	}
	c.state.expireHeartbeats(clock)
	_, present := c.state.heartbeats[member]
	before, known := c.born[member]
	if present || lost || join || known && !before.Equal(c.state.born) {
		c.state.heartbeats[member] = clock.Add(persistence.MemberTTL)
		c.state.latest, c.state.paused = now, now.Sub(clock)
		c.born[member] = c.state.born
		if !present {
			c.notify()
		}
	} else {
		m.Evicted = true
	}
	m.Members, m.Since, m.Now = sorted(c.state.heartbeats), clock.Sub(c.state.born), now
	return m, nil
}

// membersClock returns the time on the members' clock, and whether the members were lost since the
// last heartbeat; see package redis.
func (c *Client) membersClock() (now, clock time.Time, lost bool) {
	now, s := c.now(), &c.state
	paused, silence := s.paused, now.Sub(s.latest)
	lost = s.born.IsZero() || silence < 0
	if !lost && silence > maxSilence {
		lost = s.latest.Add(-paused).Sub(s.born) > minBetweenLosses
		paused += silence - maxSilence
	}
	if lost {
		return now, now, true
	}
	return now, now.Add(-paused), false
}

func (s *state) expireHeartbeats(clock time.Time) {
	maps.DeleteFunc(s.heartbeats, func(_ string, until time.Time) bool { return !until.After(clock) })
}

// ListMembers implements persistence.Members.
func (c *Client) ListMembers(ctx context.Context) (m persistence.Membership, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, clock, lost := c.membersClock()
	c.state.expireHeartbeats(clock)
	m.Members, m.Now = sorted(c.state.heartbeats), now
	if !lost {
		m.Since = clock.Sub(c.state.born)
	}
	return m, nil
}

// Leave implements persistence.Members.
func (c *Client) Leave(ctx context.Context, member string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.born, member) // so that a later heartbeat does not add it again
	if _, ok := c.state.heartbeats[member]; ok {
		delete(c.state.heartbeats, member)
		c.notify()
	}
	return nil
}

// Changes implements persistence.Members.
func (c *Client) Changes(ctx context.Context) <-chan struct{} {
	listener := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listeners = append(c.listeners, listener)
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.listeners = slices.DeleteFunc(c.listeners, func(l chan struct{}) bool { return l == listener })
	})
	return listener
}
