package cluster_test

import (
	"context"
	"net"
	"runtime"
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
	address := startNode(t, func(r grpc.ServiceRegistrar) {
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

// The connection of an earlier library took 19 MB.
func TestConnectionToAPeerIsSmall(t *testing.T) { //nolint:paralleltest // measures the heap
	const connections, limit = 20, 1 << 20
	address := startNode(t, func(grpc.ServiceRegistrar) {})
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

func dial(t *testing.T, address, token string) *grpc.ClientConn {
	t.Helper()
	connection, err := cluster.Dial(address, token)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, connection.Close()) })
	return connection
}

// startNode starts a Node that listens on TCP, and returns its address.
func startNode(t *testing.T, register func(grpc.ServiceRegistrar)) (address string) {
	t.Helper()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = free.Addr().String()
	require.NoError(t, free.Close())
	client := memory.NewShared(time.Now).At(address, time.Now)
	n := cluster.New(cluster.Options{
		Leases: client, Members: client, Address: address, Listen: address, Tokens: []string{"new-token", "old-token"},
	})
	register(n.Registrar())
	nothing := func() {}
	require.NoError(t, n.Start(t.Context(), cluster.Events{
		Changed: nothing, Recovered: nothing, Evicted: nothing, Lease: func(cluster.LeaseEvent) {},
	}))
	t.Cleanup(func() { require.NoError(t, n.Stop(context.Background())) })
	return address
}
