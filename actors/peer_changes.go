package actors

import (
	"context"
	"time"

	"trainbooking.dev/actors/wire"
)

// maxPeerChanges bounds the wait for the changes of a peer. A search that waits in vain queries the peer instead.
const maxPeerChanges = 250 * time.Millisecond

// catchUp learns what has changed in some peers since they were asked before. It reports whether all of that is
// known now. Concurrent calls share one message to a peer, which is sent after they have begun. So every change that
// was acknowledged before is known.
func catchUp(peers []*askedPeer) bool {
	reads := make([]*refresh, len(peers))
	for i, peer := range peers {
		reads[i] = peer.changes.begin()
	}
	known := true
	for _, r := range reads {
		<-r.done
		known = known && r.err == nil
	}
	return known
}

// lastChanges returns the changes of the peer that are known.
func (a *askedPeer) lastChanges() *lastChanges {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// readChanges asks a peer for its changes.
func (p *peerQueries) readChanges(address string, asked *askedPeer) error {
	ctx, cancel := context.WithTimeout(context.Background(), maxPeerChanges)
	defer cancel()
	peer := p.cluster.Peer(address)
	if peer == nil {
		return errNoPeer
	}
	asked.mu.Lock()
	since := asked.position
	asked.mu.Unlock()
	resp, err := wire.NewTrainsClient(peer.Connection()).Changes(ctx, &wire.ChangesRequest{Since: since})
	if err != nil {
		return err
	}
	asked.mu.Lock()
	defer asked.mu.Unlock()
	if resp.GetAny() {
		asked.last.ended.Store(true) // no reading before this one is current
		asked.last = &lastChanges{}
	}
	for i, id := range resp.GetTrains() {
		last := asked.last.of(toTrainID(id))
		last.Store(max(last.Load(), since+1+uint64(i)))
	}
	asked.position = resp.GetPosition()
	return nil
}

// Changes implements wire.TrainsServer.
func (t trainsServer) Changes(_ context.Context, q *wire.ChangesRequest) (*wire.ChangesResponse, error) {
	trains, position, known := t.system.changes.since(q.GetSince())
	resp := &wire.ChangesResponse{Position: position, Any: !known, Trains: make([][]byte, len(trains))}
	for i := range trains {
		resp.Trains[i] = trains[i][:]
	}
	return resp, nil
}
