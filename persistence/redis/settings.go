package redis

import (
	"context"
	"fmt"
)

const (
	policySetting = "maxmemory-policy"
	appendSetting = "appendonly"
	keepAll       = "noeviction"
)

// checkSettings returns ErrSettings if Redis evicts keys when memory is short, and warns if it
// does not persist them. Hosted Redis services often forbid CONFIG; then it warns that the
// settings could not be checked.
func (db *DB) checkSettings(ctx context.Context) error {
	settings, err := db.settings(ctx)
	if err != nil {
		return err
	}
	switch policy, known := settings[policySetting]; {
	case !known:
		db.options.Logger.Warn("cannot read the settings of redis: make sure that " +
			policySetting + " is " + keepAll + " and " + appendSetting + " is yes")
	case policy != keepAll:
		return fmt.Errorf("%w: %s is %s, so Redis evicts leases and holds when memory is short: set it to %s, in redis.conf or with CONFIG SET %s %s",
			ErrSettings, policySetting, policy, keepAll, policySetting, keepAll)
	}
	if settings[appendSetting] == "no" {
		db.options.Logger.Warn("redis loses all holds when it restarts: set " + appendSetting + " to yes")
	}
	return nil
}

// settings returns the values of CONFIG GET, without those that the user may not read.
func (db *DB) settings(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	settings := map[string]string{}
	for _, name := range []string{policySetting, appendSetting} { // Redis before 7.0 returns only one at a time
		values, err := db.data.ConfigGet(ctx, name).Result()
		if err != nil && !isReply(err) {
			return nil, err
		}
		if value, ok := values[name]; ok {
			settings[name] = value
		}
	}
	return settings, nil
}
