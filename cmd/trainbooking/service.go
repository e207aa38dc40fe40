package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"trainbooking.dev/actors"
	"trainbooking.dev/api"
	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
	"trainbooking.dev/config"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

// flushTime bounds what the trains have yet to store once no request is left.
const flushTime = 8 * time.Second

// service is the running process: what is open, in the order in which it was opened.
type service struct {
	config *config.Config
	log    *slog.Logger

	clients    net.Listener
	operations net.Listener
	failed     chan error // a server ended by itself
	closers    []func() error
}

// open starts everything, the servers last. When it fails, close closes what is open.
//
//	lock ▸ store ▸ trains ▸ demo ▸ servers
func (s *service) open(ctx context.Context) error {
	unlock, err := sqlite.Lock(s.config.DataDir)
	if err != nil {
		return err
	}
	s.onClose(unlock)
	db, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	registry := newRegistry()
	trains, err := s.openTrains(ctx, db, registry)
	if err != nil {
		return err
	}
	if s.config.Demo {
		if err := addDemo(ctx, trains); err != nil {
			return err
		}
	}
	records := persistence.Accounts{Store: db}
	accounts, err := s.accounts(records)
	if err != nil {
		return err
	}
	proxies, err := s.config.Proxies()
	if err != nil {
		return err
	}
	server, err := api.New(api.Options{
		Service: trains, Accounts: accounts, Users: records, Replies: records,
		Ready: func(ctx context.Context) map[string]error {
			return map[string]error{"store": trains.Ready(ctx)}
		},
		Logger: s.log, Registry: registry, TrustedProxies: proxies,
	})
	if err != nil {
		return err
	}
	return s.openServers(ctx, server)
}

// close closes what is open, the last first, so that each part still has what it
// stands on: no new requests, then the trains finish and store, then the store closes.
func (s *service) close() error {
	var errs []error
	for _, closer := range slices.Backward(s.closers) {
		errs = append(errs, closer())
	}
	s.closers = nil
	return errors.Join(errs...)
}

func (s *service) onClose(closer func() error) { s.closers = append(s.closers, closer) }

func (s *service) openStore(ctx context.Context) (*sqlite.DB, error) {
	db, err := sqlite.Open(ctx, s.config.DataDir, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	s.onClose(db.Close)
	if s.config.Migrate {
		err = db.Migrate(ctx)
	} else {
		err = requireVersion(ctx, db, s.config.DataDir)
	}
	return db, err
}

func (s *service) openTrains(ctx context.Context, db *sqlite.DB, registry *prometheus.Registry) (*actors.System, error) {
	trains := actors.New(actors.Options{
		Store: db, Holds: db,
		Rules:  booking.HoldRules{TTL: s.config.HoldTTL, MaxSeats: s.config.MaxHoldsPerUser},
		Logger: s.log, Registry: registry,
	})
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		return trains.Stop(ctx)
	})
	err := trains.Start(ctx)
	return trains, err
}

func (s *service) accounts(users booking.Users) (*auth.Accounts, error) {
	keys, err := signingKeys(s.config.JWTSecretFile, s.config.DataDir, s.log)
	if err != nil {
		return nil, err
	}
	tokens, err := auth.NewTokens(keys, s.config.AccessTTL, s.config.RefreshTTL)
	if err != nil {
		return nil, err
	}
	hasher, err := auth.NewHasher(auth.DefaultCost)
	if err != nil {
		return nil, err
	}
	services, err := serviceTokens(s.config.ServiceTokenFile)
	if err != nil {
		return nil, err
	}
	return &auth.Accounts{
		Users: users, Tokens: tokens, Hasher: hasher,
		Throttle: auth.NewThrottle(s.config.LoginFailures), Services: services,
	}, nil
}

// newRegistry returns a registry that has what Go and the process tell of themselves.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "trainbooking", Name: "build_info", Help: "1, labelled with the version.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
