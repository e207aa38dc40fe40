package redis_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

// failover bounds the wait for the promotion of a replica, on a busy machine.
const failover = time.Minute

// redisCluster is a Redis Cluster, which tests can read and stop.
type redisCluster struct {
	*servers.RedisCluster
	raw *goredis.ClusterClient
}

func newCluster(t *testing.T) *redisCluster {
	t.Helper()
	c := &redisCluster{RedisCluster: servers.StartRedisCluster(t)}
	c.raw = goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: c.Addresses()})
	t.Cleanup(func() { require.NoError(t, c.raw.Close()) })
	return c
}

// url names two nodes.
func (c *redisCluster) url() string {
	return "redis://" + c.Nodes[0].Address + "?addr=" + c.Nodes[1].Address
}

// clusters are several clusters, each for one test at a time, because tests wait for TTLs.
type clusters chan *redisCluster

func newClusters(t *testing.T, n int) clusters {
	t.Helper()
	all := make(clusters, n)
	for range n {
		all <- newCluster(t)
	}
	return all
}

// take takes a cluster until the test ends, and empties it.
func (all clusters) take(t *testing.T) *redisCluster {
	t.Helper()
	c := <-all
	t.Cleanup(func() { all <- c })
	require.NoError(t, c.raw.ForEachMaster(t.Context(), func(ctx context.Context, master *goredis.Client) error {
		return master.FlushAll(ctx).Err()
	}))
	return c
}

func (c *redisCluster) open(t *testing.T) *store {
	t.Helper()
	return &store{DB: openURL(t, c.url(), 20*persistence.LeaseCall)}
}

func openURL(t *testing.T, url string, timeout time.Duration) *redis.DB {
	t.Helper()
	db, err := redis.Open(t.Context(), url, redis.Options{Address: here, Timeout: timeout})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// count returns the number of keys that match a pattern, on all shards.
func (c *redisCluster) count(t *testing.T, pattern string) (n int) {
	t.Helper()
	var mu sync.Mutex
	require.NoError(t, c.raw.ForEachMaster(t.Context(), func(ctx context.Context, master *goredis.Client) error {
		keys, err := master.Keys(ctx, pattern).Result()
		mu.Lock()
		defer mu.Unlock()
		n += len(keys)
		return err
	}))
	return n
}

func TestRedisClusterPassesTheSuites(t *testing.T) {
	t.Parallel()
	all := newClusters(t, 4)
	t.Run("Members", func(t *testing.T) { // the longest one first
		t.Parallel()
		persistencetest.ExerciseMembers(t, func(t *testing.T) persistence.Members { t.Helper(); return all.take(t).open(t).DB })
	})
	t.Run("Leases", func(t *testing.T) {
		t.Parallel()
		persistencetest.ExerciseLeases(t, func(t *testing.T) persistence.Leases { t.Helper(); return all.take(t).open(t).DB })
	})
	t.Run("Holds", func(t *testing.T) {
		t.Parallel()
		persistencetest.ExerciseHolds(t, func(t *testing.T) persistencetest.FencedHolds {
			t.Helper()
			c := all.take(t)
			s := c.open(t)
			return persistencetest.FencedHolds{
				Holds: s.DB, Owner: here,
				Adopt: func(t *testing.T, id booking.TrainID) persistence.Guard { t.Helper(); return s.adopt(t, id) },
				Count: func(t *testing.T) int { t.Helper(); return c.count(t, "{t:*}:hold:*") },
			}
		})
	})
	t.Run("Attempts", func(t *testing.T) {
		t.Parallel()
		persistencetest.ExerciseAttempts(t, func(t *testing.T) []booking.Attempts {
			t.Helper()
			c := all.take(t)
			return []booking.Attempts{c.open(t).DB, c.open(t).DB}
		})
	})
}

// trainsOf returns n trains whose keys are on a shard.
func (c *redisCluster) trainsOf(t *testing.T, shard, n int) []booking.TrainID {
	t.Helper()
	var trains []booking.TrainID
	for len(trains) < n {
		id := booking.NewTrainID()
		if c.shardOf(t, "{t:"+id.String()+"}") == shard {
			trains = append(trains, id)
		}
	}
	return trains
}

func (c *redisCluster) shardOf(t *testing.T, key string) int {
	t.Helper()
	slot, err := c.raw.ClusterKeySlot(t.Context(), key).Result()
	require.NoError(t, err)
	shard := 0
	for int(slot) >= servers.SlotsOf(shard+1) {
		shard++
	}
	return shard
}

// adoptSome adopts n trains of each shard. Guards of one shard follow each other.
func (s *store) adoptSome(t *testing.T, c *redisCluster, n int) (guards []persistence.Guard) {
	t.Helper()
	for shard := range 3 {
		for _, id := range c.trainsOf(t, shard, n) {
			guards = append(guards, s.adopt(t, id))
		}
	}
	return guards
}

// oneForEach returns a write of a new hold for each guard.
func oneForEach(guards []persistence.Guard) (writes []persistence.HoldWrite) {
	for _, guard := range guards {
		writes = append(writes, puts(guard, 1)...)
	}
	return writes
}

func TestBatchNeedsNoScriptOnAnyShard(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.open(t)
	guards := s.adoptSome(t, c, 3)
	flush := func() {
		require.NoError(t, c.raw.ForEachMaster(t.Context(), func(ctx context.Context, master *goredis.Client) error {
			return master.ScriptFlush(ctx).Err()
		}))
	}
	flush()
	s.write(t, slices.Concat(oneForEach(guards), oneForEach(guards))...)
	flush()
	leases := leasesOf(guards)
	results, err := s.RenewLeases(t.Context(), leases)
	require.NoError(t, err)
	require.Equal(t, make([]error, len(guards)), results)
	flush()
	require.NoError(t, s.ReleaseLeases(t.Context(), leases))
	flush()
	holders, err := s.AcquireLeases(t.Context(), slices.Concat(leases, leases))
	require.NoError(t, err)
	for i, holder := range holders {
		require.NoError(t, holder.Err)
		require.Equal(t, leases[i%len(leases)], holder.Value.Lease)
	}
	found, err := s.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
	require.ElementsMatch(t, trainsOf(guards), found, "the scan reaches every shard")
	held, err := s.LoadHolds(t.Context(), trainsOf(guards), time.Now())
	require.NoError(t, err)
	for i, h := range held {
		require.NoError(t, h.Err)
		require.Equal(t, here, h.Value.Owner, "train %d", i)
		require.Len(t, h.Value.Holds, 2, "train %d", i)
	}
}

func leaseOf(guard persistence.Guard) persistence.Lease {
	return persistence.Lease{Train: guard.Train, Address: here, Owner: guard.Owner}
}

func leasesOf(guards []persistence.Guard) (leases []persistence.Lease) {
	for _, guard := range guards {
		leases = append(leases, leaseOf(guard))
	}
	return leases
}

func trainsOf(guards []persistence.Guard) (trains []booking.TrainID) {
	for _, guard := range guards {
		trains = append(trains, guard.Train)
	}
	return trains
}

// TestKilledMasterAffectsOnlyItsShard kills a master during writes. The replica has what was
// written before, and takes over.
func TestKilledMasterAffectsOnlyItsShard(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.open(t)
	guards := s.adoptSome(t, c, 2)
	before := oneForEach(guards)
	s.write(t, before...)
	require.NoError(t, s.awaitReplica(t, c.Nodes[0].Address))
	c.Nodes[0].Kill(t)
	restarted := false
	until(t, func() bool {
		leases := leasesOf(guards)
		renewed, err := s.RenewLeases(t.Context(), leases)
		restarted = restarted || errors.Is(err, persistence.ErrRestarted)
		acquired, err := s.AcquireLeases(t.Context(), leases) // those of the shard may have expired
		require.NoError(t, err)
		loaded, err := s.LoadHolds(t.Context(), trainsOf(guards), time.Now())
		require.NoError(t, err)
		written, err := s.WriteHolds(t.Context(), oneForEach(guards))
		require.NoError(t, err, "two shards are there")
		for i := range guards {
			if i >= 2 {
				require.NoError(t, renewed[i])
				require.NoError(t, written[i], "another shard")
				require.NoError(t, acquired[i].Err)
				require.Equal(t, leases[i], acquired[i].Value.Lease)
				require.NoError(t, loaded[i].Err)
			}
		}
		return restarted && errors.Join(written...) == nil
	})
	for _, w := range before {
		require.True(t, s.held(t, w.Guard.Train)[w.Hold.ID], "it was replicated")
	}
	found, err := s.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
	require.ElementsMatch(t, trainsOf(guards), found)
}

// until calls a condition until it is true.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(failover); !condition(); <-time.After(tick) {
		require.True(t, time.Now().Before(deadline), "no failover")
	}
}

// awaitReplica waits until the replica of a master has all that was written.
func (s *store) awaitReplica(t *testing.T, master string) error {
	t.Helper()
	// WAIT waits for the writes of its own connection.
	raw := connect(t, master).Conn()
	defer func() { require.NoError(t, raw.Close()) }()
	if err := raw.Do(t.Context(), "SET", keyOn(t, raw), "x", "PX", "1000").Err(); err != nil {
		return err
	}
	return raw.Wait(t.Context(), 1, timeout).Err()
}

// keyOn returns a key that a node of a cluster stores.
func keyOn(t *testing.T, raw *goredis.Conn) string {
	t.Helper()
	for {
		key := booking.NewTrainID().String()
		err := raw.Get(t.Context(), key).Err()
		if err == nil || errors.Is(err, goredis.Nil) {
			return key
		}
		require.True(t, strings.HasPrefix(err.Error(), "MOVED"), "%v", err)
	}
}

// TestPlannedFailoverRefusesCallsUnexecuted promotes a replica without a fault: no connection
// breaks, and the former master only refuses calls.
func TestPlannedFailoverRefusesCallsUnexecuted(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.open(t)
	guards := s.adoptSome(t, c, 1)
	s.write(t, oneForEach(guards)...)
	renew := func() error {
		_, err := s.RenewLeases(t.Context(), []persistence.Lease{leaseOf(guards[1]), leaseOf(guards[2])})
		return err
	}
	require.NoError(t, renew())
	replica := connect(t, c.Replica(0).Address)
	require.NoError(t, replica.Do(t.Context(), "CLUSTER", "FAILOVER").Err())
	until(t, func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "role:master")
	})
	until(t, func() bool {
		_, lease := persistencetest.AcquireLease(t.Context(), s, leaseOf(guards[0])) // it may have expired
		results, err := s.WriteHolds(t.Context(), oneForEach(guards))
		for _, err := range append(results, err, lease) {
			require.NotErrorIs(t, err, persistence.ErrUnknown)
		}
		return errors.Join(append(results, err)...) == nil
	})
	// No call of these leases has failed. A node that has not heard of the failover yet may still
	// name the former master, also after another one named the new master.
	until(t, func() bool { return errors.Is(renew(), persistence.ErrRestarted) })
	until(t, func() bool { return renew() == nil })
}

func TestMembersSurviveTheFailoverOfTheirShard(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.open(t)
	changes := s.Changes(t.Context())
	for _, member := range []string{"a", "b"} {
		_, err := s.Join(t.Context(), member)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return len(changes) == 1 }, timeout, tick)
	shard := c.shardOf(t, "{members}")
	require.NoError(t, s.awaitReplica(t, c.Nodes[shard].Address))
	c.Nodes[shard].Kill(t)
	beat := func(member string) bool {
		m, err := s.Heartbeat(t.Context(), member)
		require.False(t, m.Evicted)
		return err == nil
	}
	until(t, func() bool { return beat("a") && beat("b") })
	m, err := s.ListMembers(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, m.Members)
	until(t, func() bool { // it subscribes to the new master
		for len(changes) > 0 {
			<-changes
		}
		_, joined := s.Join(t.Context(), "c")
		return joined == nil && s.Leave(t.Context(), "c") == nil && len(changes) == 1
	})
}

func TestURLOfOneNodeOfAClusterIsRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	_, err := openLogged(t, "redis://"+c.Nodes[0].Address)
	require.ErrorIs(t, err, redis.ErrSettings)
	require.ErrorContains(t, err, "?addr=")
	db := openURL(t, "redis://"+c.Nodes[0].Address+"?addr="+c.Nodes[0].Address, timeout)
	require.NoError(t, db.Ping(t.Context()))
	require.NoError(t, c.raw.ForEachMaster(t.Context(), func(ctx context.Context, master *goredis.Client) error {
		if master.Options().Addr == c.Nodes[2].Address {
			return master.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err()
		}
		return nil
	}))
	_, err = openLogged(t, c.url())
	require.ErrorIs(t, err, redis.ErrServer, "of every master")
	require.NoError(t, c.raw.ForEachMaster(t.Context(), func(ctx context.Context, master *goredis.Client) error {
		return errors.Join(master.ConfigSet(ctx, "maxmemory-policy", "noeviction").Err(),
			master.ConfigSet(ctx, "cluster-require-full-coverage", "yes").Err())
	}))
	log, err := openLogged(t, c.url())
	require.NoError(t, err)
	require.Contains(t, log, "while one shard of redis fails over, none responds")
}
