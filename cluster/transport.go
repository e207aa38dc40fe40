package cluster

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	tokenHeader = "trainbooking-peer"
	// keepaliveTime is how long a connection may be silent before it is checked, and how long the
	// peer may take to acknowledge what was sent. (The library checks from the dialing side
	// at most every 10 s; there the kernel's TCP_USER_TIMEOUT ends the connection.)
	keepaliveTime = 5 * time.Second
	// checkTimeout is how long the dialing side may take to respond to a check. It is less than
	// keepaliveTime, because the library sets a timer of zero after a check where they are equal. In
	// virtual time, such timers of several connections fire together, and a race of the runtime
	// (Go 1.26, -race) ends the test.
	checkTimeout = 4 * time.Second
	// streamWorkers is how many goroutines are kept for the calls of peers. On a new one, which each
	// further call gets, the stack has to grow.
	streamWorkers = 8
	// streamWindow and connectionWindow are how much may be sent before the receiver has read it, in bytes. The
	// library would estimate them, and for that send a ping with nearly every message.
	streamWindow     = 1 << 20
	connectionWindow = 16 << 20
)

// traceContext carries the trace of a call (W3C Trace Context).
var traceContext = otelgrpc.WithPropagators(propagation.TraceContext{})

// Network connects processes. It is replaced in tests.
type Network interface {
	Listen(ctx context.Context, address string) (net.Listener, error)
	Dial(ctx context.Context, address string) (net.Conn, error)
}

// tcp is the usual Network.
type tcp struct{}

func (tcp) Listen(ctx context.Context, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

func (tcp) Dial(ctx context.Context, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// newServer returns a server for the calls of peers, which must send one of the tokens. No call
// ends the process.
func newServer(o *Options) *grpc.Server {
	auth := authenticator{tokens: o.Tokens, log: o.Logger}
	return grpc.NewServer(
		grpc.Creds(transportOf(o)), grpc.ChainUnaryInterceptor(auth.unary), grpc.ChainStreamInterceptor(auth.stream),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: checkTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveTime}),
		grpc.StatsHandler(otelgrpc.NewServerHandler(traceContext)),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.StaticStreamWindowSize(streamWindow), grpc.StaticConnWindowSize(connectionWindow),
	)
}

// dialer returns a function that creates the connection to a peer. The connection sends the first
// of the tokens and, with TLS, a certificate. It is dialled by its first call.
func dialer(o *Options) func(address string) (*grpc.ClientConn, error) {
	transport := transportOf(o)
	return func(address string) (*grpc.ClientConn, error) {
		return grpc.NewClient("passthrough:///"+address,
			grpc.WithContextDialer(o.Network.Dial),
			grpc.WithTransportCredentials(transport), grpc.WithPerRPCCredentials(tokenCredentials{o.Tokens}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTime}),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second,
			}, MinConnectTimeout: time.Second}),
			grpc.WithStatsHandler(otelgrpc.NewClientHandler(traceContext)),
			grpc.WithStaticStreamWindowSize(streamWindow), grpc.WithStaticConnWindowSize(connectionWindow),
		)
	}
}

// transportOf returns the transport of the connections to and from peers.
func transportOf(o *Options) credentials.TransportCredentials {
	if o.TLS == nil {
		return insecure.NewCredentials()
	}
	return currentTLS{credentials.NewTLS(nil), o.TLS}
}

// currentTLS is TLS with the settings that are current at each handshake.
type currentTLS struct {
	credentials.TransportCredentials // for what does not depend on settings

	settings func() *tls.Config
}

// ClientHandshake implements credentials.TransportCredentials.
func (c currentTLS) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return credentials.NewTLS(c.settings()).ClientHandshake(ctx, authority, raw)
}

// ServerHandshake implements credentials.TransportCredentials.
func (c currentTLS) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return credentials.NewTLS(c.settings()).ServerHandshake(raw)
}

// Clone implements credentials.TransportCredentials.
func (c currentTLS) Clone() credentials.TransportCredentials { return c }

// tokenCredentials send the token of a process to its peers.
type tokenCredentials struct{ tokens func() []string }

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (c tokenCredentials) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{tokenHeader: c.tokens()[0]}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: TLS is optional.
func (tokenCredentials) RequireTransportSecurity() bool { return false }

// authenticator intercepts every call of a peer.
type authenticator struct {
	tokens func() []string
	log    *slog.Logger
}

func (a authenticator) unary(
	ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (response any, err error) {
	if err := a.check(ctx); err != nil {
		return nil, err
	}
	defer a.recover(&err)
	return handle(ctx, request)
}

func (a authenticator) stream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	if err := a.check(stream.Context()); err != nil {
		return err
	}
	defer a.recover(&err)
	return handle(server, stream)
}

func (a authenticator) check(ctx context.Context) error {
	given, _ := metadata.FromIncomingContext(ctx)
	for _, token := range given.Get(tokenHeader) {
		for _, known := range a.tokens() {
			if subtle.ConstantTimeCompare([]byte(token), []byte(known)) == 1 {
				return nil
			}
		}
	}
	a.log.Warn("peer without the cluster's token refused")
	return status.Error(codes.Unauthenticated, "the token is not one of the cluster's")
}

// recover turns a panic into an error, so that no call ends the process.
func (a authenticator) recover(err *error) {
	if r := recover(); r != nil {
		a.log.Error("call of a peer panicked", slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
		*err = status.Error(codes.Internal, fmt.Sprint("panic: ", r))
	}
}
