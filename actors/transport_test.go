package actors_test

import (
	"context"
	"net"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"trainbooking.dev/actors"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/persistence/persistencetest/servers"
)

// This is the only test of the package whose System listens for peers: see newClusterOfOne.
func TestPeersNeedATokenAndCannotEndTheProcess(t *testing.T) {
	t.Parallel()
	address := listening(t)
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, connection.Close()) }()
	peer := remote.NewRemotingClient(connection)
	hello := &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "x", Address: "127.0.0.1:1"}},
	}}}

	for name, token := range map[string]string{"none": "", "another": "guess", "nearly": "new-token-x"} {
		_, err := exchange(t, peer, token, hello)
		require.Equal(t, codes.Unauthenticated, status.Code(err), name)
	}
	for _, token := range []string{"new-token", "old-token"} {
		response, err := exchange(t, peer, token, hello)
		require.NoError(t, err)
		require.NotNil(t, response.GetConnectResponse(), token)
	}

	// After a message of an unknown type, or an invalid one, the stream ends and the process
	// continues.
	known := proto.MessageName(&wire.Envelope{})
	for name, frame := range map[string]*remote.MessageBatch{
		"unknown type": {TypeNames: []string{"trainbooking.actors.v9.Unheard"}, Envelopes: []*remote.MessageEnvelope{{}}},
		"no target":    {TypeNames: []string{string(known)}, Envelopes: []*remote.MessageEnvelope{{Target: 7}}},
		"no type":      {Envelopes: []*remote.MessageEnvelope{{TypeId: 3}}},
		"no protobuf": {
			TypeNames: []string{string(known)},
			Envelopes: []*remote.MessageEnvelope{{MessageData: []byte{0xff, 0xff}}},
		},
	} {
		frame.Targets = append(frame.Targets, actor.NewPID(address, "gateway"))
		_, err := exchange(t, peer, "new-token", &remote.RemoteMessage{
			MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: frame},
		})
		require.Error(t, err, name)
		response, err := exchange(t, peer, "new-token", hello)
		require.NoError(t, err, "after %s", name)
		require.NotNil(t, response.GetConnectResponse())
	}
}

// exchange sends one message and returns the response, or the error that ended the stream.
func exchange(t *testing.T, peer remote.RemotingClient, token string, message *remote.RemoteMessage) (*remote.RemoteMessage, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "trainbooking-peer", token), testTimeout)
	defer cancel()
	stream, err := peer.Receive(ctx)
	if err != nil {
		return nil, err
	}
	_ = stream.Send(message) // if the stream has ended, Recv returns why
	return stream.Recv()
}

// listening starts a System that listens for peers, and returns its address.
func listening(t *testing.T) (address string) {
	t.Helper()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = free.Addr().String()
	require.NoError(t, free.Close())
	db, shared := openClusterStores(t, address, servers.Redis(t))
	startWith(t, actors.New(actors.Options{Store: db, Holds: shared, Rules: rules, Cluster: &actors.Cluster{
		Leases: shared, Members: shared, Address: address, Listen: address, Tokens: []string{"new-token", "old-token"},
	}}))
	return address
}
