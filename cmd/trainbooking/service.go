package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/actors"
	"trainbooking.dev/api"
	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/cmd/trainbooking/reload"
	"trainbooking.dev/config"
	"trainbooking.dev/persistence"
	"trainbooking.dev/web"
)

// service is the running process. open opens its parts in order; close closes them in
// reverse order.
type service struct {
	config *config.Config
	log    *slog.Logger
	traces trace.TracerProvider // nil: no traces
	files  *reload.Files        // of secrets and certificates

	trains      *actors.System
	server      *api.Server
	certificate *tls.Config // of the port for clients; nil: no TLS
	clients     net.Listener
	operations  net.Listener

	failed    chan error // a server stopped because of an error
	evicted   atomic.Bool
	leaveOnce func()
	closers   []func() error
}

// mode has what differs between the embedded and the clustered mode.
type mode struct {
	store   persistence.Store
	holds   persistence.Holds
	secret  *signingSecret
	cluster cluster.Cluster // nil in the embedded mode
	// attempts counts failed logins and registrations of all processes; nil: this one is alone.
	attempts booking.Attempts

	saleWriters, holdWriters int
}

// open opens all parts, the servers last. If it fails, close closes those that are open.
//
//	files ▸ traces ▸ stores ▸ trains ▸ demo ▸ servers
func (s *service) open(ctx context.Context) error {
	if err := s.openFiles(); err != nil {
		return err
	}
	if err := s.openTraces(ctx); err != nil {
		return err
	}
	openMode := s.openEmbedded
	if s.config.Clustered() {
		openMode = s.openClustered
	}
	m, err := openMode(ctx)
	if err != nil {
		return err
	}
	registry := newRegistry()
	if err := s.openTrains(ctx, m, registry); err != nil {
		return err
	}
	if s.config.Demo {
		if err := addDemo(ctx, s.trains); err != nil {
			return err
		}
	}
	records := persistence.Accounts{Store: m.store}
	accounts, err := s.accounts(records, m)
	if err != nil {
		return err
	}
	proxies, err := s.config.Proxies()
	if err != nil {
		return err
	}
	origins, _ := s.config.Origins() // Validate has checked them
	s.server, err = api.New(api.Options{
		Page: s.page(), Service: s.trains, Accounts: accounts, Users: records, Replies: records,
		Health: s.health, Logger: s.log, Registry: registry, Traces: s.traces, TrustedProxies: proxies,
		Origins: origins,
	})
	if err != nil {
		return err
	}
	return s.openServers(ctx)
}

// openFiles starts watching the files of secrets and certificates. It reads those that do not need a
// store.
func (s *service) openFiles() (err error) {
	s.files = reload.New(s.log)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.files.Run(ctx) })
	s.onClose(func() error {
		cancel()
		running.Wait()
		return nil
	})
	s.certificate, err = serverTLS(s.files, &s.config.HTTP)
	return err
}

// prepare migrates the store, or checks its version if --migrate is false.
func (s *service) prepare(ctx context.Context, db store) error {
	if !s.config.Migrate {
		return requireVersion(ctx, db, &s.config.Store)
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	version, newest, err := db.Version(ctx)
	if err == nil && version > newest {
		s.log.Warn("a newer program has migrated the store; this one works only if that is at most one release newer", "version", version, "supported", newest)
	}
	return err
}

func (s *service) openTrains(ctx context.Context, m mode, registry *prometheus.Registry) error {
	s.trains = actors.New(actors.Options{
		Store: m.store, Holds: m.holds, Cluster: m.cluster,
		SaleWriters: m.saleWriters, HoldWriters: m.holdWriters,
		Rules: booking.HoldRules{
			TTL: s.config.HoldTTL, MaxSeats: s.config.MaxHoldsPerUser,
			MaxSeatsPerUser: s.config.MaxSeatsPerUser, ReholdPause: s.config.ReholdPause,
		},
		Logger: s.log, Registry: registry,
	})
	s.leaveOnce = sync.OnceFunc(s.leave)
	s.onClose(s.stopTrains)
	return s.trains.Start(ctx)
}

// page returns the page, or nil with --page=false.
func (s *service) page() *api.WebPage {
	if !s.config.Page {
		return nil
	}
	page := web.New()
	return &api.WebPage{Paths: web.Paths, Has: page.Has, Handler: page}
}

// health returns what /readyz reports.
func (s *service) health() api.Health {
	h := s.trains.Health()
	return api.Health{Dependencies: h.Dependencies, NotReady: h.NotReady}
}

func (s *service) accounts(users booking.Users, m mode) (*auth.Accounts, error) {
	hasher, err := auth.NewHasher(auth.DefaultCost)
	if err != nil {
		return nil, err
	}
	services, err := s.serviceTokens()
	if err != nil {
		return nil, err
	}
	limited := func(limit int) auth.ThrottleOptions {
		return auth.ThrottleOptions{Limit: limit, Shared: m.attempts, Logger: s.log}
	}
	return &auth.Accounts{
		Users: users, Tokens: m.secret.tokens, Hasher: hasher, Services: services,
		Logins:        auth.NewLoginThrottle(limited(s.config.LoginFailures)),
		Registrations: auth.NewRegistrationThrottle(limited(s.config.Registrations)),
	}, nil
}

// newRegistry returns a registry with the version and the metrics of Go and the process.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "trainbooking", Name: "build_info", Help: "Always 1; the label has the version.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
