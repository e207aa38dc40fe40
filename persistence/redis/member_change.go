package redis

import "context"

// Changes implements persistence.Members. It reconnects after a lost connection, and reports
// that as a change, since it may have missed some.
func (db *DB) Changes(ctx context.Context) <-chan struct{} {
	changes := make(chan struct{}, 1)
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed {
		db.background.Go(func() { db.follow(ctx, changes) })
	}
	return changes
}

// follow forwards messages until ctx ends or the DB is closed.
func (db *DB) follow(ctx context.Context, changes chan<- struct{}) {
	subscription := db.reserved.Subscribe(ctx, changesChannel) // if it fails, the channel retries
	defer subscription.Close()                                 //nolint:errcheck // nothing was written
	messages := subscription.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case <-db.closing:
			return
		case _, open := <-messages:
			if !open {
				return
			}
			select {
			case changes <- struct{}{}:
			default: // one is pending already
			}
		}
	}
}
