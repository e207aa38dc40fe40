package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"trainbooking.dev/api"
)

// shutdownTimeout limits the requests in flight at shutdown. A request takes at most 5 s,
// but sending a large response to a slow client may take longer.
const shutdownTimeout = 20 * time.Second

// openServers listens on both ports before it serves on either, so that it fails before the
// first request if a port is in use.
func (s *service) openServers(ctx context.Context) (err error) {
	if s.operations, err = listen(ctx, "--metrics-listen", s.config.MetricsListen); err != nil {
		return err
	}
	s.onClose(func() error { return ignoreClosed(s.operations.Close()) })
	if s.clients, err = listen(ctx, "--listen", s.config.Listen); err != nil {
		return err
	}
	s.failed = make(chan error, 2)
	s.start(s.server.OperationsServer(s.config.Pprof), s.operations)
	clients := s.server.HTTPServer()
	clients.TLSConfig = s.certificate
	s.start(clients, api.Listener(s.clients))
	s.onClose(func() error {
		s.server.SetDraining()
		s.leaveOnce()
		return nil
	})
	return nil
}

// start serves on listener, with TLS if the server has it, until close, which waits for requests in
// flight.
func (s *service) start(server *http.Server, listener net.Listener) {
	serve := func() error { return server.Serve(listener) }
	if server.TLSConfig != nil {
		serve = func() error { return server.ServeTLS(listener, "", "") }
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve on %s: %w", listener.Addr(), err)
		}
	}()
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(fmt.Errorf("requests were still in flight after %s: %w", shutdownTimeout, err), server.Close())
		}
		<-done
		return err
	})
}

// listen opens a port. If it is in use, the error names the flag to change.
func listen(ctx context.Context, flag, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s is taken by another program: stop that one, or set %s to another port", flag, address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	return listener, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
