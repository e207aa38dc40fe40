package memory

import (
	"context"

	"trainbooking.dev/persistence"
)

// AcquireLease implements persistence.Leases.
func (c *Client) AcquireLease(ctx context.Context, wanted persistence.Lease) (persistence.Lease, error) {
	if err := ctx.Err(); err != nil {
		return persistence.Lease{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	held, ok := c.holder(wanted.Train)
	switch {
	case !ok:
		c.state.leases[wanted.Train] = lease{wanted, c.now().Add(persistence.LeaseTTL)}
		return wanted, nil
	case held.until.Sub(c.now()) > persistence.LeaseTTL:
		delete(c.state.leases, wanted.Train)
		return persistence.Lease{}, persistence.ErrConflict
	}
	return held.Lease, nil
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

// ReleaseLease implements persistence.Leases.
func (c *Client) ReleaseLease(ctx context.Context, l persistence.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if held, ok := c.holder(l.Train); ok && held.Lease == l {
		delete(c.state.leases, l.Train)
	}
	return nil
}
