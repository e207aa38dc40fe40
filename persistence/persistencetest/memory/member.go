package memory

import (
	"context"
	"slices"

	"trainbooking.dev/persistence"
)

// maxSilence is as in package redis.
const maxSilence = persistence.MemberTTL / 3

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
	now, lost := c.now(), c.lost()
	c.expireBeats()
	if lost {
		clear(c.state.beats)
		c.state.born = now
	}
	_, present := c.state.beats[member]
	before, known := c.born[member]
	if present || lost || join || known && !before.Equal(c.state.born) {
		c.state.beats[member], c.state.beat = now.Add(persistence.MemberTTL), now
		c.born[member] = c.state.born
		if !present {
			c.notify()
		}
	} else {
		m.Evicted = true
	}
	m.Members, m.Since = sorted(c.state.beats), now.Sub(c.state.born)
	return m, nil
}

// lost reports whether the members were lost since the last heartbeat: the marker is missing,
// there was no heartbeat for maxSilence, or the clock went back.
func (c *Client) lost() bool {
	now := c.now()
	return c.state.born.IsZero() || c.state.beat.After(now) || now.Sub(c.state.beat) > maxSilence
}

func (c *Client) expireBeats() {
	for member, until := range c.state.beats {
		if !until.After(c.now()) {
			delete(c.state.beats, member)
		}
	}
}

// ListMembers implements persistence.Members.
func (c *Client) ListMembers(ctx context.Context) (m persistence.Membership, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expireBeats()
	m.Members = sorted(c.state.beats)
	if !c.lost() {
		m.Since = c.now().Sub(c.state.born)
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
	if _, ok := c.state.beats[member]; ok {
		delete(c.state.beats, member)
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
