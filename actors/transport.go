package actors

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/remote"
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
	// keepaliveTime is how long a connection may be silent before it is checked. A dead peer
	// is usually found by its missing heartbeats first.
	keepaliveTime = 10 * time.Second
)

// transport returns the options of the gRPC connections between peers. The dialing process
// sends the cluster's token and, with TLS, a certificate. No message of a peer makes the process
// exit.
func transport(o *Cluster, log *slog.Logger) []remote.ConfigOption {
	auth := authenticator{tokens: o.Tokens, log: log}
	server, client := insecure.NewCredentials(), insecure.NewCredentials()
	if o.TLS != nil {
		server, client = credentials.NewTLS(o.TLS), credentials.NewTLS(o.TLS)
	}
	return []remote.ConfigOption{
		remote.WithServerOptions(
			grpc.Creds(server), grpc.ChainStreamInterceptor(auth.stream), grpc.ChainUnaryInterceptor(auth.unary),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTime}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveTime / 2}),
		),
		remote.WithDialOptions(
			grpc.WithTransportCredentials(client), grpc.WithPerRPCCredentials(tokenCredentials{o.Tokens[0]}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTime}),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second,
			}, MinConnectTimeout: time.Second}),
		),
		func(c *remote.Config) { c.MaxRetryCount = 1 }, // a repeated call dials again
	}
}

// tokenCredentials send the token of a process to its peers.
type tokenCredentials struct{ token string }

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (c tokenCredentials) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{tokenHeader: c.token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: TLS is optional.
func (tokenCredentials) RequireTransportSecurity() bool { return false }

// authenticator intercepts every call of a peer.
type authenticator struct {
	tokens []string
	log    *slog.Logger
}

func (a authenticator) stream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	if err := a.check(stream.Context()); err != nil {
		return err
	}
	defer a.recover(&err)
	return handle(server, stream)
}

func (a authenticator) unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.Unimplemented, "peers only use streams")
}

func (a authenticator) check(ctx context.Context) error {
	given, _ := metadata.FromIncomingContext(ctx)
	for _, token := range given.Get(tokenHeader) {
		for _, known := range a.tokens {
			if subtle.ConstantTimeCompare([]byte(token), []byte(known)) == 1 {
				return nil
			}
		}
	}
	a.log.Warn("peer without the cluster's token refused")
	return status.Error(codes.Unauthenticated, "the token is not one of the cluster's")
}

// recover turns a panic into an error. The library panics on messages of an unknown type.
func (a authenticator) recover(err *error) {
	if r := recover(); r != nil {
		a.log.Error("message of a peer could not be read", slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
		*err = status.Error(codes.InvalidArgument, fmt.Sprint("cannot be read: ", r))
	}
}
