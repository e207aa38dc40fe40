package main

import (
	"context"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence/redis"
)

// checkRedis returns what is wrong with the settings of Redis, before anything waits.
func checkRedis(c *config.Redis) error {
	url, err := urlSetting{"--redis-url", c.RedisURL, c.RedisURLFile}.read()
	if err != nil {
		return err
	}
	return redis.Check(url, redis.Options{TLS: filesOf(c.RedisTLS)})
}

// openRedis opens the Redis of the settings. It waits until it is reachable.
func openRedis(ctx context.Context, c *config.Redis, options redis.Options) (*redis.DB, error) {
	url := urlSetting{"--redis-url", c.RedisURL, c.RedisURLFile}
	options.Reread, options.TLS = url.reread(), filesOf(c.RedisTLS)
	return await(ctx, options.Logger, dependency{
		name: "Redis", url: url,
		settings: redis.ErrSettings, password: redis.ErrPassword, server: redis.ErrServer,
	},
		func(ctx context.Context) (*redis.DB, error) {
			text, err := url.read()
			if err != nil {
				return nil, err
			}
			return redis.Open(ctx, text, options)
		})
}
