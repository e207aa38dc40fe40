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

// checkSettings refuses a Redis that drops keys when memory is short, and warns of one
// that forgets them when it restarts. Services that run Redis for others often forbid
// CONFIG; then it can only say what they should be.
func (db *DB) checkSettings(ctx context.Context) error {
	settings, err := db.settings(ctx)
	if err != nil {
		return err
	}
	switch policy, known := settings[policySetting]; {
	case !known:
		db.options.Logger.Warn("redis does not show its settings: see to it that " +
			policySetting + " is " + keepAll + " and " + appendSetting + " is yes")
	case policy != keepAll:
		return fmt.Errorf("%w: %s is %s, with which Redis drops leases and holds when memory is short: set it to %s, in redis.conf or with CONFIG SET %s %s",
			ErrSettings, policySetting, policy, keepAll, policySetting, keepAll)
	}
	if settings[appendSetting] == "no" {
		db.options.Logger.Warn("redis forgets all holds when it restarts: set " + appendSetting + " to yes")
	}
	return nil
}

// settings returns what CONFIG GET shows.
func (db *DB) settings(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	settings := map[string]string{}
	for _, name := range []string{policySetting, appendSetting} { // both at once: not before 7.0
		shown, err := db.data.ConfigGet(ctx, name).Result()
		if err != nil && !answered(err) {
			return nil, err
		}
		if value, there := shown[name]; there {
			settings[name] = value
		}
	}
	return settings, nil
}
