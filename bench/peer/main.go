// Command peer is what the service is compared with: other servers of the same API, as far as the
// workloads of package bench need it.
//
//	peer --kind limit      does only what every request must do: it decodes, checks the token, replies
//	peer --kind postgres   holds and sells seats with conditional UPDATEs of a row for each seat
//	peer --kind redis      holds seats with SET NX PX, and sells them with an INSERT that a unique key guards
//
// They are written as one would write them who has no actors, and are to be as fast as that allows:
// no logs, no metrics, no validation beyond what they need, prepared statements, one round trip where
// one is enough. They promise less than the service: no segments of a journey, no limit of holds, no
// retries that find what the first request did, except where a comment says so.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	kind, listen, secretFile string
	database, redis          string
	connections              int
}

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	var o options
	flag.StringVar(&o.kind, "kind", "", "limit, postgres or redis")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:8080", "the address to listen on")
	flag.StringVar(&o.secretFile, "jwt-secret-file", "", "a file with the key that signs tokens")
	flag.StringVar(&o.database, "database-url", "", "the URL of an empty Postgres database")
	flag.StringVar(&o.redis, "redis", "", "host:port of an empty Redis")
	flag.IntVar(&o.connections, "connections", defaultConnections, "the size of the pool")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		slog.Error("failed", "error", err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to do
	}
}

// run serves until ctx ends.
func run(ctx context.Context, o options) error {
	tokens, err := newTokens(o.secretFile)
	if err != nil {
		return err
	}
	seats, err := openStore(ctx, o)
	if err != nil {
		return err
	}
	defer seats.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newRouter(seats, tokens), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ended <- server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

func openStore(ctx context.Context, o options) (store, error) {
	switch o.kind {
	case "limit":
		return limit{}, nil
	case "postgres":
		return openPostgres(ctx, o.database, o.connections)
	case "redis":
		return openRedis(ctx, o.database, o.redis, o.connections)
	}
	return nil, errors.New("unknown kind " + o.kind)
}
