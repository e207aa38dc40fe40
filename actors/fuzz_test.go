package actors_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"trainbooking.dev/actors"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
)

var fuzzedTrain = booking.DerivedTrainID("fuzzed")

// Every call of a peer has a response that can be encoded, whatever it contains.
func FuzzCallsOfPeers(f *testing.F) {
	id, user := fuzzedTrain[:], uuid.New()
	now := time.Now().UnixMicro()
	for _, q := range []*wire.ExecuteRequest{
		{},
		{Train: []byte{1}, Arrived: now},
		{Train: id, Arrived: -1 << 62},
		{Train: id, Arrived: now, Command: &wire.ExecuteRequest_Hold{Hold: &wire.Hold{User: user[:], Seats: []uint32{1, 1, 99999}}}},
		{Train: id, Arrived: now, Command: &wire.ExecuteRequest_Hold{Hold: &wire.Hold{User: []byte("x"), Count: 1 << 31}}},
		{Train: id, Arrived: now, Command: &wire.ExecuteRequest_Confirm{Confirm: &wire.HoldRef{Seat: 70000}}},
		{Train: id, Arrived: now, Command: &wire.ExecuteRequest_Release{}},
		{Train: id, Arrived: now, Command: &wire.ExecuteRequest_Cancel{Cancel: &wire.Cancel{}}},
		{Train: id, Arrived: now, Command: &wire.ExecuteRequest_CheckCancel{}},
		{Train: id, Arrived: now, Command: &wire.ExecuteRequest_Exchange{Exchange: &wire.Exchange{OldTrain: []byte{1}}}},
	} {
		seed, err := proto.Marshal(q)
		require.NoError(f, err)
		f.Add(0, seed)
	}
	for _, q := range []*wire.QueryRequest{{}, {Trains: [][]byte{id, nil, {1}, id}, From: "Delhi", To: "Nowhere", Offers: true, Seats: true}} {
		seed, err := proto.Marshal(q)
		require.NoError(f, err)
		f.Add(1, seed)
	}
	server := actors.Server(startFuzzed(f))
	f.Fuzz(func(t *testing.T, method int, message []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		switch method {
		case 0:
			q := &wire.ExecuteRequest{}
			if proto.Unmarshal(message, q) == nil {
				requireEncodes(t)(server.Execute(ctx, q))
			}
		case 1:
			q := &wire.QueryRequest{}
			if proto.Unmarshal(message, q) == nil {
				require.NoError(t, server.Query(q, &queryStream{t: t, ctx: ctx}))
			}
		}
	})
}

func requireEncodes(t *testing.T) func(proto.Message, error) {
	t.Helper()
	return func(m proto.Message, err error) {
		t.Helper()
		require.NoError(t, err)
		_, err = proto.Marshal(m)
		require.NoError(t, err)
	}
}

// queryStream receives the reply to a query.
type queryStream struct {
	grpc.ServerStream
	t   *testing.T
	ctx context.Context //nolint:containedctx // as the library's streams

	parts []*wire.QueryResponse
}

func (s *queryStream) Context() context.Context { return s.ctx }

func (s *queryStream) Send(m *wire.QueryResponse) error {
	s.parts = append(s.parts, m)
	_, err := proto.Marshal(m)
	return err
}

// startFuzzed starts a System with one train.
func startFuzzed(f *testing.F) *actors.System {
	f.Helper()
	system := start(f, openStores(f), rules)
	_, _, err := system.PutTrain(f.Context(), booking.Train{
		ID: fuzzedTrain, Name: "a", Capacity: 10, OnSale: true, Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Mumbai"}},
	})
	require.NoError(f, err)
	return system
}

// Every response of a peer is an error or a value.
func FuzzResponse(f *testing.F) {
	for _, r := range []*wire.ExecuteResponse{
		{},
		{Retry: true, Owner: "x"},
		{Error: &wire.Error{Code: "seat_locked", RetryAfter: -1, BecomesFreeAt: 1 << 62}},
		{Result: &wire.ExecuteResponse_Held{}},
		{Result: &wire.ExecuteResponse_Train{Train: &wire.Train{Stops: []*wire.Stop{{DepartsAt: &wire.LocalTime{UtcOffset: 1 << 30}}}}}},
	} {
		seed, err := proto.Marshal(r)
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		r := &wire.ExecuteResponse{}
		if proto.Unmarshal(message, r) != nil {
			return
		}
		if _, err := actors.DecodeResponse(r); err != nil {
			require.NotPanics(t, func() { _ = err.Error() })
		}
	})
}
