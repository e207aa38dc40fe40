package cluster_test

import (
	"testing"
	"time"

	"trainbooking.dev/persistence/persistencetest/servers"
)

// The primary of Postgres is killed under load and its standby promoted, twice: the killed one
// comes back as a standby in between.
func TestPromotedStandbyLosesNoBooking(t *testing.T) {
	t.Parallel()
	const synchronous = "synchronous_standby_names=*"
	first := servers.StartPostgres(t)
	second := servers.StartStandby(t, first)
	first.Set(t, synchronous)
	c := newCluster(t, servers.AnyOf(t, first, second), servers.Redis(t))
	c.startNodes(3)
	l := c.startLoad(c.admin.AddTrains(t, 8, 1000), 1000)
	l.awaitSales(100)
	l.requireNoFailure()

	first.Kill(t)
	second.Promote(t)
	l.requireRecovered()
	first.Follow(t, second)
	second.Set(t, synchronous)
	l.awaitSales(100)
	second.Kill(t)
	first.Promote(t)
	l.requireRecovered()
	c.requireAllRunning()
	l.finish()
}

// The stores fail under load, one after the other. No process exits, no seat is sold twice,
// and no acknowledged booking is lost.
func TestStoresThatFailAndRecoverLoseNoBooking(t *testing.T) {
	t.Parallel()
	postgres, redis := servers.StartPostgres(t), servers.StartRedis(t)
	c := newCluster(t, postgres.Address, redis.Address)
	c.startNodes(3)
	l := c.startLoad(c.admin.AddTrains(t, 8, 1000), 1000)
	l.awaitSales(100)
	l.requireNoFailure()

	inject := func(name string, fault func()) {
		begun := time.Now()
		fault()
		healed := time.Now()
		t.Logf("%s (%s)", name, healed.Sub(begun).Round(time.Millisecond))
		l.requireRecovered()
		c.requireAllRunning()
	}
	inject("Postgres is killed and restarted", func() {
		postgres.Kill(t)
		postgres.Start(t)
	})
	inject("Redis is emptied", func() {
		begun := l.Now()
		c.redisCommand("FLUSHALL")
		l.Lose(begun)
	})
	inject("Redis is killed and restarted", func() {
		redis.Kill(t)
		redis.Start(t)
	})
	inject("Redis is down for longer than the TTL of leases", func() {
		redis.Kill(t)
		<-time.After(7 * time.Second)
		redis.Start(t)
	})
	l.finish()
}
