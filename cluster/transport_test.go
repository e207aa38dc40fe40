package cluster_test

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"trainbooking.dev/cluster"
	"trainbooking.dev/cluster/wire"
	"trainbooking.dev/persistence/persistencetest/memory"
)

func TestPeersNeedATokenAndCannotEndTheProcess(t *testing.T) {
	t.Parallel()
	address := startNode(t, bothTokens, func(r grpc.ServiceRegistrar) {
		r.RegisterService(&grpc.ServiceDesc{
			ServiceName: "test", HandlerType: (*any)(nil),
			Methods: []grpc.MethodDesc{{MethodName: "Panic", Handler: func(
				_ any, ctx context.Context, _ func(any) error, intercept grpc.UnaryServerInterceptor,
			) (any, error) {
				return intercept(ctx, nil, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) { panic("a bug") })
			}}},
		}, struct{}{})
	})
	refresh := func(token string) error {
		connection := dial(t, address, token)
		_, err := wire.NewMembersClient(connection).Refresh(t.Context(), &wire.RefreshRequest{})
		return err
	}
	for name, token := range map[string]string{"none": "", "another": "guess", "nearly": "new-token-x"} {
		require.Equal(t, codes.Unauthenticated, status.Code(refresh(token)), name)
	}
	for _, token := range []string{"new-token", "old-token"} {
		require.NoError(t, refresh(token), token)
	}
	err := dial(t, address, "new-token").Invoke(t.Context(), "/test/Panic", &emptypb.Empty{}, &emptypb.Empty{})
	require.Equal(t, codes.Internal, status.Code(err))
	err = dial(t, address, "new-token").Invoke(t.Context(), "/trainbooking.cluster.v1.Members/Unheard", &emptypb.Empty{}, &emptypb.Empty{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
	require.NoError(t, refresh("new-token"), "the process continues")
}

// Each call sends the token of its time, also on a connection that exists.
func TestTokensOfPeersAreReplacedWhileTheyAreConnected(t *testing.T) {
	t.Parallel()
	var here, there atomic.Value // []string
	tokens := func(v *atomic.Value) func() []string { return func() []string { return v.Load().([]string) } }
	here.Store([]string{"old-token"})
	there.Store([]string{"old-token"})
	address := startNode(t, tokens(&here), func(grpc.ServiceRegistrar) {})
	connection, err := cluster.DialWith(address, tokens(&there))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, connection.Close()) })
	call := func() codes.Code {
		_, err := wire.NewMembersClient(connection).Refresh(t.Context(), &wire.RefreshRequest{})
		return status.Code(err)
	}
	require.Equal(t, codes.OK, call())
	for _, step := range [][]string{ // in the order of a rotation, either side first
		{"old-token", "new-token"}, {"new-token", "old-token"}, {"new-token"},
	} {
		for _, side := range []*atomic.Value{&there, &here} {
			side.Store(step)
			require.Equal(t, codes.OK, call(), step)
		}
	}
	there.Store([]string{"old-token"})
	require.Equal(t, codes.Unauthenticated, call(), "the token that was removed")
}

func bothTokens() []string { return []string{"new-token", "old-token"} }

// The connection of an earlier library took 19 MB.
func TestConnectionToAPeerIsSmall(t *testing.T) { //nolint:paralleltest // measures the heap
	const connections, limit = 20, 1 << 20
	address := startNode(t, bothTokens, func(grpc.ServiceRegistrar) {})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range connections {
		_, err := wire.NewMembersClient(dial(t, address, "new-token")).Refresh(t.Context(), &wire.RefreshRequest{})
		require.NoError(t, err)
	}
	require.Less(t, heap(), before+connections*limit)
}

// BenchmarkCall calls a peer over TCP.
func BenchmarkCall(b *testing.B) {
	peer := wire.NewMembersClient(dial(b, startNode(b, bothTokens, func(grpc.ServiceRegistrar) {}), "new-token"))
	b.ReportAllocs()
	for b.Loop() {
		_, err := peer.Refresh(b.Context(), &wire.RefreshRequest{})
		require.NoError(b, err)
	}
}

func dial(tb testing.TB, address, token string) *grpc.ClientConn {
	tb.Helper()
	connection, err := cluster.Dial(address, token)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, connection.Close()) })
	return connection
}

// startNode starts a Node that listens on TCP, and returns its address.
func startNode(tb testing.TB, tokens func() []string, register func(grpc.ServiceRegistrar)) (address string) {
	tb.Helper()
	free, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	address = free.Addr().String()
	require.NoError(tb, free.Close())
	client := memory.NewShared(time.Now).At(address, time.Now)
	n := cluster.New(cluster.Options{
		Leases: client, Members: client, Address: address, Listen: address, Tokens: tokens,
	})
	register(n.Registrar())
	nothing := func() {}
	require.NoError(tb, n.Start(tb.Context(), cluster.Events{
		Changed: nothing, Recovered: nothing, Evicted: nothing, Lease: func(cluster.LeaseEvent) {},
	}))
	tb.Cleanup(func() { require.NoError(tb, n.Stop(context.Background())) })
	return address
}
