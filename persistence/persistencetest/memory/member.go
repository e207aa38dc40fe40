package memory

import (
	"context"
	"slices"

	"trainbooking.dev/persistence"
)

// silence is for how long nobody may beat, as package redis has it.
const silence = persistence.MemberTTL / 3

// Join implements persistence.Members.
func (c *Client) Join(ctx context.Context, member string) (persistence.Membership, error) {
	return c.enter(ctx, member, true)
}

// Heartbeat implements persistence.Members.
func (c *Client) Heartbeat(ctx context.Context, member string) (persistence.Membership, error) {
	return c.enter(ctx, member, false)
}

func (c *Client) enter(ctx context.Context, member string, join bool) (m persistence.Membership, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now, lost := c.now(), c.lost()
	c.endBeats()
	if lost {
		clear(c.state.beats)
		c.state.born = now
	}
	_, there := c.state.beats[member]
	before, known := c.born[member]
	if there || lost || join || known && !before.Equal(c.state.born) {
		c.state.beats[member], c.state.beat = now.Add(persistence.MemberTTL), now
		c.born[member] = c.state.born
		if !there {
			c.tell()
		}
	} else {
		m.Evicted = true
	}
	m.Members, m.Since = sorted(c.state.beats), now.Sub(c.state.born)
	return m, nil
}

// lost reports whether the members were lost since the last heartbeat: the marker is gone,
// nobody beat for long, or the clock went back.
func (c *Client) lost() bool {
	now := c.now()
	return c.state.born.IsZero() || c.state.beat.After(now) || now.Sub(c.state.beat) > silence
}

func (c *Client) endBeats() {
	for member, until := range c.state.beats {
		if !until.After(c.now()) {
			delete(c.state.beats, member)
		}
	}
}

// Look implements persistence.Members.
func (c *Client) Look(ctx context.Context) (m persistence.Membership, err error) {
	if err := ctx.Err(); err != nil {
		return m, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endBeats()
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
	delete(c.born, member) // a heartbeat that comes after this adds nobody
	if _, there := c.state.beats[member]; there {
		delete(c.state.beats, member)
		c.tell()
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
