package memory

import (
	"context"

	"trainbooking.dev/persistence"
)

// AcquireLeases implements persistence.Leases.
func (c *Client) AcquireLeases(
	ctx context.Context, leases []persistence.Lease,
) ([]persistence.Result[persistence.Holder], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	holders := make([]persistence.Result[persistence.Holder], len(leases))
	for i, l := range leases {
		holders[i].Value, holders[i].Err = c.acquire(l)
	}
	return holders, nil
}

func (c *Client) acquire(wanted persistence.Lease) (persistence.Holder, error) {
	held, ok := c.holder(wanted.Train)
	if !ok {
		held = lease{wanted, c.now().Add(persistence.LeaseTTL)}
		c.state.leases[wanted.Train] = held
	}
	left := held.until.Sub(c.now())
	if left > persistence.LeaseTTL {
		delete(c.state.leases, wanted.Train)
		return persistence.Holder{}, persistence.ErrConflict
	}
	return persistence.Holder{Lease: held.Lease, Left: left}, nil
}

// RenewLeases implements persistence.Leases.
func (c *Client) RenewLeases(ctx context.Context, leases []persistence.Lease) ([]error, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	results := make([]error, len(leases))
	for i, l := range leases {
		if held, ok := c.holder(l.Train); !ok || held.Lease != l {
			results[i] = persistence.ErrFenced
			continue
		}
		c.state.leases[l.Train] = lease{l, c.now().Add(persistence.LeaseTTL)}
	}
	return results, nil
}

// ReleaseLeases implements persistence.Leases.
func (c *Client) ReleaseLeases(ctx context.Context, leases []persistence.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range leases {
		if held, ok := c.holder(l.Train); ok && held.Lease == l {
			delete(c.state.leases, l.Train)
		}
	}
	return nil
}
