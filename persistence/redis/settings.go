package redis

import (
	"context"
	"fmt"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

const (
	policySetting = "maxmemory-policy"
	appendSetting = "appendonly"
	keepAll       = "noeviction"
	wholeSetting  = "cluster-require-full-coverage"
)

// checkSettings returns ErrServer if a master evicts keys when memory is short, and warns if it
// does not persist them. Hosted Redis services often forbid CONFIG and INFO; then it warns that
// the settings could not be checked.
func (db *DB) checkSettings(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	return db.data.each(ctx, db.checkMaster)
}

func (db *DB) checkMaster(ctx context.Context, master *goredis.Client) error {
	log := db.options.Logger.With(slog.String("server", master.Options().Addr))
	if err := db.checkServer(ctx, master, log); err != nil {
		return err
	}
	settings, err := settingsOf(ctx, master)
	if err != nil {
		return err
	}
	switch policy, known := settings[policySetting]; {
	case !known:
		log.Warn("cannot read the settings of redis: make sure that " +
			policySetting + " is " + keepAll + " and " + appendSetting + " is yes")
	case policy != keepAll:
		return fmt.Errorf("%w: %s is %s, so Redis evicts leases and holds when memory is short: set it to %s, in redis.conf or with CONFIG SET %s %s",
			ErrServer, policySetting, policy, keepAll, policySetting, keepAll)
	}
	if db.data.cluster() != nil && settings[wholeSetting] == "yes" {
		log.Warn("while one shard of redis fails over, none responds: set " + wholeSetting + " to no")
	}
	if settings[appendSetting] == "no" {
		log.Warn("redis loses all holds when it restarts: set " + appendSetting + " to yes")
	}
	return nil
}

// settingsOf returns the values of CONFIG GET, without those that the user may not read.
func settingsOf(ctx context.Context, master *goredis.Client) (map[string]string, error) {
	settings := map[string]string{}
	for _, name := range []string{policySetting, appendSetting, wholeSetting} { // Redis before 7.0 returns only one at a time
		values, err := master.ConfigGet(ctx, name).Result()
		if err != nil && !isReply(err) {
			return nil, err
		}
		if value, ok := values[name]; ok {
			settings[name] = value
		}
	}
	return settings, nil
}
