package main

import (
	"context"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence/redis"
)

// openRedis opens the Redis of the settings. It waits until it is reachable.
func openRedis(ctx context.Context, c *config.Redis, options redis.Options) (*redis.DB, error) {
	url := urlSetting{"--redis-url", c.RedisURL, c.RedisURLFile}
	return await(ctx, options.Logger, dependency{name: "Redis", url: url, settings: redis.ErrSettings},
		func(ctx context.Context) (*redis.DB, error) {
			text, err := url.read()
			if err != nil {
				return nil, err
			}
			return redis.Open(ctx, text, options)
		})
}
