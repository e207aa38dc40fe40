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
	trains := c.addTrains(8, 1000)
	l := startLoad(c, c.signUp("asha", "ravi", "meena"), trains, 1000)
	l.awaitSales(t, 100)
	requireNone(t, l.failed(), "requests failed before there was a fault")
	requireNone(t, l.lostHolds(), "holds were lost before there was a fault")

	for _, fault := range []struct {
		name   string
		happen func()
	}{
		{"Redis is emptied", func() { c.askRedis("FLUSHALL") }},
		{"Redis is killed and comes back", func() {
			redis.Kill(t)
			redis.Start(t)
		}},
		{"Redis is away for as long as leases live", func() {
			redis.Kill(t)
			<-time.After(7 * time.Second)
			redis.Start(t)
		}},
		{"Postgres is killed and comes back", func() {
			postgres.Kill(t)
			postgres.Start(t)
		}},
	} {
		begun := time.Now()
		fault.happen()
		healed := time.Now()
		t.Logf("%s (%s)", fault.name, healed.Sub(begun).Round(time.Millisecond))
		l.requireRecovered(t, healed)
		c.requireAllRun()
	}
	l.finish(t, nil)
}
