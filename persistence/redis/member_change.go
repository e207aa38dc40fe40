package redis

import (
	"context"
)

// Changes implements persistence.Members. A connection that is lost is made again as
// long as it takes; since changes may have passed by meanwhile, that counts as one.
func (db *DB) Changes(ctx context.Context) <-chan struct{} {
	changes := make(chan struct{}, 1)
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed {
		db.background.Go(func() { db.follow(ctx, changes) })
	}
	return changes
}

// follow passes on what comes until ctx ends or the DB is closed.
func (db *DB) follow(ctx context.Context, changes chan<- struct{}) {
	subscription := db.reserved.Subscribe(ctx, changesChannel) // if it fails, the channel tries again
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
			default: // one is waiting already
			}
		}
	}
}
