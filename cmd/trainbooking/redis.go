package main

import (
	"context"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence/redis"
)

// openRedis opens the Redis of the settings. It waits until it is reachable.
func openRedis(ctx context.Context, c *config.Redis, options redis.Options) (*redis.DB, error) {
	url, err := secretOf("--redis-url", c.RedisURL, c.RedisURLFile)
	if err != nil {
		return nil, err
	}
	return await(ctx, options.Logger, dependency{"Redis", "--redis-url", redis.ErrSettings},
		func(ctx context.Context) (*redis.DB, error) { return redis.Open(ctx, url, options) })
}
