package main

import (
	"context"

	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
)

// openClustered opens the stores that the processes of a cluster share. It reads files
// first, because mistakes in them are found without waiting.
//
//	secret ▸ certificates ▸ Postgres ▸ Redis
func (s *service) openClustered(ctx context.Context) (mode, error) {
	secret, err := s.openSecret()
	if err != nil {
		return mode{}, err
	}
	certificates, err := peerTLS(s.files, &s.config.Cluster)
	if err != nil {
		return mode{}, err
	}
	if err := checkRedis(&s.config.Redis); err != nil {
		return mode{}, err
	}
	db, err := openPostgres(ctx, &s.config.Store, postgres.Options{Logger: s.log, Traces: s.traces})
	if err != nil {
		return mode{}, err
	}
	s.onClose(db.Close)
	if err := s.prepare(ctx, db); err != nil {
		return mode{}, err
	}
	shared, err := openRedis(ctx, &s.config.Redis, redis.Options{
		Address: s.config.Advertise, Logger: s.log, Traces: s.traces,
	})
	if err != nil {
		return mode{}, err
	}
	s.onClose(shared.Close)
	return mode{
		store: db, holds: shared, attempts: shared, secret: secret, saleWriters: postgres.SaleWriters, holdWriters: redis.HoldWriters,
		cluster: cluster.New(cluster.Options{
			Leases: shared, Members: shared,
			Address: s.config.Advertise, Listen: s.config.PeerListen(),
			Tokens: func() []string { return *secret.peers.Load() }, TLS: certificates, Logger: s.log,
		}),
	}, nil
}
