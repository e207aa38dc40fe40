package cluster_test

import (
	"testing"
	"time"

	"trainbooking.dev/persistence/persistencetest/servers"
)

// The stores fail under load, one after the other. No process ends, no seat is sold
// twice, and what was acknowledged stays.
func TestStoresThatFailAndComeBackLoseNoBooking(t *testing.T) {
	t.Parallel()
	postgres, redis := servers.StartPostgres(t), servers.StartRedis(t)
	c := newCluster(t, postgres.Address, redis.Address)
	c.startNodes(3)
	l := c.startLoad(c.admin.AddTrains(t, 8, 1000), 1000)
	l.awaitSales(100)
	l.requireNoFailure()

	suffer := func(fault string, happen func()) {
		begun := time.Now()
		happen()
		healed := time.Now()
		t.Logf("%s (%s)", fault, healed.Sub(begun).Round(time.Millisecond))
		l.requireRecovered()
		c.requireAllRun()
	}
	suffer("Postgres is killed and comes back", func() {
		postgres.Kill(t)
		postgres.Start(t)
	})
	suffer("Redis is emptied", func() {
		begun := l.Now()
		c.askRedis("FLUSHALL")
		l.Lose(begun)
	})
	suffer("Redis is killed and comes back", func() {
		redis.Kill(t)
		redis.Start(t)
	})
	suffer("Redis is away for as long as leases live", func() {
		redis.Kill(t)
		<-time.After(7 * time.Second)
		redis.Start(t)
	})
	l.finish()
}
