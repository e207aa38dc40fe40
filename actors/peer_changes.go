package actors

import (
	"context"
	"time"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
)

// maxPeerChanges bounds the wait for the changes of a peer. They are only asked for to save a query.
const maxPeerChanges = 250 * time.Millisecond

// refresh counts what has changed in the peers at some addresses since they were asked before. It reports
// whether it knows all of that. Concurrent calls share one message to a peer, which is sent after they have
// begun: so what was told to anybody before is known.
func (p *peerQueries) refresh(addresses []string) bool {
	read := make(chan error, len(addresses))
	for _, address := range addresses {
		p.at(address).changes.load(context.Background(), booking.TrainID{}, struct{}{}, func(_ struct{}, err error) { read <- err })
	}
	known := true
	for range addresses {
		known = <-read == nil && known
	}
	return known
}

// readChanges asks a peer for its changes and counts them.
func (p *peerQueries) readChanges(ctx context.Context, address string, of *askedPeer) error {
	peer := p.cluster.Peer(address)
	if peer == nil {
		return errNoPeer
	}
	resp, err := wire.NewTrainsClient(peer.Connection()).Changes(ctx, &wire.ChangesRequest{Since: of.position.Load()})
	if err != nil {
		return err
	}
	for _, id := range resp.GetTrains() {
		p.changes.train(toTrainID(id)).Add(1)
	}
	if resp.GetAny() {
		p.changes.others.Add(1)
	}
	of.position.Store(resp.GetPosition())
	return nil
}

// Changes implements wire.TrainsServer.
func (t trainsServer) Changes(_ context.Context, q *wire.ChangesRequest) (*wire.ChangesResponse, error) {
	trains, position, known := t.system.changes.log.since(q.GetSince())
	resp := &wire.ChangesResponse{Position: position, Any: !known, Trains: make([][]byte, len(trains))}
	for i := range trains {
		resp.Trains[i] = trains[i][:]
	}
	return resp, nil
}
