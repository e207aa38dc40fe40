package cluster

import (
	"context"
	"time"
)

// RecoveryInterval is the shortest time between two calls of Events.Recovered. When every fourth
// heartbeat was lost, all live holds were stored again every 3 s. Redis takes 2 s for 100,000.
const RecoveryInterval = 10 * time.Second

// recovery calls Events.Recovered after an outage, at once, or if there was another one just
// before, RecoveryInterval after that. Every outage is followed by a call.
type recovery chan struct{}

// ended reports the end of an outage.
func (r recovery) ended() {
	select {
	case r <- struct{}{}:
	default: // a call will follow
	}
}

func (r recovery) run(ctx context.Context, event func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r:
		}
		event()
		select {
		case <-ctx.Done():
			return
		case <-time.After(RecoveryInterval):
		}
	}
}
