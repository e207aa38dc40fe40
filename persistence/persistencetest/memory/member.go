package memory

import (
	"context"
	"slices"

	"trainbooking.dev/persistence"
)

// maxSilence is that of package redis.
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
	c.expireHeartbeats()
	if lost {
		clear(c.state.heartbeats)
		c.state.born = now
	}
	_, present := c.state.heartbeats[member]
	before, known := c.born[member]
	if present || lost || join || known && !before.Equal(c.state.born) {
		c.state.heartbeats[member], c.state.latest = now.Add(persistence.MemberTTL), now
		c.born[member] = c.state.born
		if !present {
			c.notify()
		}
	} else {
		m.Evicted = true
	}
	m.Members, m.Since, m.Now = sorted(c.state.heartbeats), now.Sub(c.state.born), now
	return m, nil
}

// lost reports whether the members were lost since the last heartbeat: there was none, it was
// more than maxSilence ago, or the clock went back.
func (c *Client) lost() bool {
	now := c.now()
	return c.state.born.IsZero() || c.state.latest.After(now) || now.Sub(c.state.latest) > maxSilence
}

func (c *Client) expireHeartbeats() {
	for member, until := range c.state.heartbeats {
		if !until.After(c.now()) {
			delete(c.state.heartbeats, member)
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
	c.expireHeartbeats()
	m.Members, m.Now = sorted(c.state.heartbeats), c.now()
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
