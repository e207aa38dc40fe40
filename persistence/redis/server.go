package redis

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// serverInfo is what a server reports about itself.
type serverInfo struct {
	run  string // another one after each start; "" if the user may not run INFO
	mode string // standalone, cluster or sentinel
}

func infoOf(ctx context.Context, master *goredis.Client) (serverInfo, error) {
	info, err := master.InfoMap(ctx, "server").Result()
	if err != nil && !isReply(err) {
		return serverInfo{}, err
	}
	return serverInfo{info["Server"]["run_id"], info["Server"]["redis_mode"]}, nil
}

// checkServer returns ErrSettings if the URL has the form for another kind of Redis, and notes
// the server for replaced.
func (db *DB) checkServer(ctx context.Context, master *goredis.Client, log *slog.Logger) error {
	info, err := infoOf(ctx, master)
	switch {
	case err != nil:
		return err
	case info.run == "":
		log.Warn("cannot see whether redis was restarted or replaced: allow the command INFO, " +
			"so that holds which it then lost are stored again at once")
	case info.mode == "cluster" && db.data.cluster() == nil:
		return fmt.Errorf("%w: it is a node of a Redis Cluster: add ?addr=host:port of another node, or of this one again, to the URL", ErrSettings)
	case info.mode == "sentinel":
		return fmt.Errorf("%w: it is a Sentinel: add ?master_name= with the name that it watches to the URL", ErrSettings)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.servers[info.run] = true
	return nil
}

// replaced reports whether a master has been restarted since the last call, or is another server,
// such as a promoted replica. It may have lost the last writes, even if no call has failed. A
// master that does not respond is left to the next call.
func (db *DB) replaced(ctx context.Context) (replaced bool) {
	var mu sync.Mutex
	found := map[string]bool{}
	failed := db.reserved.each(ctx, func(ctx context.Context, master *goredis.Client) error {
		info, err := infoOf(ctx, master)
		if info.run != "" {
			mu.Lock()
			defer mu.Unlock()
			found[info.run] = true
		}
		return err
	})
	db.mu.Lock()
	defer db.mu.Unlock()
	for run := range found {
		replaced = replaced || !db.servers[run]
	}
	if failed != nil {
		maps.Copy(found, db.servers)
	}
	db.servers = found
	return replaced
}
