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
	// peerSilence is after how long a connection that says nothing is tried. Peers that
	// vanish are noticed by their heartbeats first.
	peerSilence = 10 * time.Second
)

// transport is how peers reach each other: over gRPC, where whoever dials proves the
// cluster's token and, with TLS, who it is. Nothing that a peer sends ends the process.
func transport(o *Cluster, log *slog.Logger) []remote.ConfigOption {
	guard := guard{tokens: o.Tokens, log: log}
	server, client := insecure.NewCredentials(), insecure.NewCredentials()
	if o.TLS != nil {
		server, client = credentials.NewTLS(o.TLS), credentials.NewTLS(o.TLS)
	}
	return []remote.ConfigOption{
		remote.WithServerOptions(
			grpc.Creds(server), grpc.ChainStreamInterceptor(guard.stream), grpc.ChainUnaryInterceptor(guard.unary),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: peerSilence, Timeout: peerSilence}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: peerSilence / 2}),
		),
		remote.WithDialOptions(
			grpc.WithTransportCredentials(client), grpc.WithPerRPCCredentials(shown{o.Tokens[0]}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: peerSilence, Timeout: peerSilence}),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second,
			}, MinConnectTimeout: time.Second}),
		),
		func(c *remote.Config) { c.MaxRetryCount = 1 }, // calls are repeated, and then dial again
	}
}

// shown is the token that a process shows its peers.
type shown struct{ token string }

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (s shown) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{tokenHeader: s.token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: TLS is optional.
func (shown) RequireTransportSecurity() bool { return false }

// guard stands before everything that a peer may send.
type guard struct {
	tokens []string
	log    *slog.Logger
}

func (g guard) stream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	if err := g.check(stream.Context()); err != nil {
		return err
	}
	defer g.recover(&err)
	return handle(server, stream)
}

func (g guard) unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.Unimplemented, "peers only stream")
}

func (g guard) check(ctx context.Context) error {
	given, _ := metadata.FromIncomingContext(ctx)
	for _, token := range given.Get(tokenHeader) {
		for _, known := range g.tokens {
			if subtle.ConstantTimeCompare([]byte(token), []byte(known)) == 1 {
				return nil
			}
		}
	}
	g.log.Warn("refused a peer without the cluster's token")
	return status.Error(codes.Unauthenticated, "this is not the cluster's token")
}

// recover makes a panic an error. The library dereferences nil when a message is of a
// type that it does not know.
func (g guard) recover(err *error) {
	if r := recover(); r != nil {
		g.log.Error("what a peer sent could not be read", slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
		*err = status.Error(codes.InvalidArgument, fmt.Sprint("cannot be read: ", r))
	}
}
