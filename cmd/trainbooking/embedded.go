package main

import (
	"context"
)

// openEmbedded opens the data directory and locks it for this process.
//
//	lock ▸ store ▸ secret
func (s *service) openEmbedded(ctx context.Context) (mode, error) {
	unlock, err := lockData(s.config.DataDir)
	if err != nil {
		return mode{}, err
	}
	s.onClose(unlock)
	db, err := openSQLite(ctx, s.config.DataDir)
	if err != nil {
		return mode{}, err
	}
	s.onClose(db.Close)
	if err := s.prepare(ctx, db); err != nil {
		return mode{}, err
	}
	secret, err := s.openSecret()
	return mode{store: db, holds: db, secret: secret}, err
}
