package redis_test

import (
	"net/url"
	"strings"
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

// rights are those of docs/operations.md without INFO and CONFIG GET, which are optional.
var rights = strings.Fields("~{t:* ~{h:* ~{a:* ~{members}* &{members}*" +
	" +ping +eval +evalsha +time +scan +subscribe +unsubscribe +publish" +
	" +get +mget +set +getdel +del +pttl +pexpire +hmget +hset" +
	" +zadd +zrem +zcard +zcount +zscore +zrange +zrangebyscore +zrangebylex +zremrangebyscore")

// withUser gives a Redis a user with rights, turns the default user off, and returns the URL and a
// client of an admin.
func withUser(t *testing.T, address string, rights ...string) (string, *goredis.Client) {
	t.Helper()
	set := func(client *goredis.Client, words ...string) {
		t.Helper()
		args := []any{"ACL", "SETUSER"}
		for _, word := range words {
			args = append(args, word)
		}
		require.NoError(t, client.Do(t.Context(), args...).Err())
	}
	raw := connect(t, address)
	set(raw, "admin", "on", ">admin", "~*", "&*", "+@all")
	admin := goredis.NewClient(&goredis.Options{Addr: address, Username: "admin", Password: "admin"})
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	set(admin, append([]string{"booking", "on", ">p@ss/word", "-@all"}, rights...)...)
	set(admin, "default", "off")
	return "redis://" + url.UserPassword("booking", "p@ss/word").String() + "@" + address, admin
}

func TestUserWithTheDocumentedRightsPassesTheSuites(t *testing.T) {
	t.Parallel()
	openAs := func(t *testing.T) (*store, string) {
		t.Helper()
		address := servers.Redis(t)
		url, admin := withUser(t, address, append(rights, "+info", "+config|get")...)
		return &store{DB: openURL(t, url, time.Minute), raw: admin}, url
	}
	persistencetest.ExerciseHolds(t, func(t *testing.T) persistencetest.FencedHolds {
		t.Helper()
		s, _ := openAs(t)
		return persistencetest.FencedHolds{Holds: s.DB, Owner: here, Adopt: func(t *testing.T, id booking.TrainID) persistence.Guard {
			t.Helper()
			return s.adopt(t, id)
		}, Count: func(t *testing.T) int {
			t.Helper()
			keys, err := s.raw.Keys(t.Context(), "{t:*}:hold:*").Result()
			require.NoError(t, err)
			return len(keys)
		}}
	})
	persistencetest.ExerciseLeases(t, func(t *testing.T) persistence.Leases {
		t.Helper()
		s, _ := openAs(t)
		return s.DB
	})
	persistencetest.ExerciseMembers(t, func(t *testing.T) persistence.Members {
		t.Helper()
		s, _ := openAs(t)
		return s.DB
	})
	persistencetest.ExerciseAttempts(t, func(t *testing.T) []booking.Attempts {
		t.Helper()
		s, url := openAs(t)
		return []booking.Attempts{s.DB, openURL(t, url, time.Minute)}
	})
}

// A process that lacks a right must not join: it would fail later, again and again.
func TestEachMissingRightIsNamedAtOpen(t *testing.T) {
	t.Parallel()
	for i, right := range rights {
		if right == "+unsubscribe" { // sent when a subscription ends, and its error is ignored
			continue
		}
		t.Run(right, func(t *testing.T) {
			t.Parallel()
			without := append(append([]string{}, rights[:i]...), rights[i+1:]...)
			url, _ := withUser(t, servers.Redis(t), without...)
			_, err := redis.Open(t.Context(), url, redis.Options{Timeout: timeout})
			require.ErrorIs(t, err, redis.ErrSettings)
			if right == "+ping" {
				require.ErrorContains(t, err, "ping")
				return
			}
			require.ErrorContains(t, err, "run ACL SETUSER NAME "+right+" (")
			require.NotContains(t, err.Error(), "p@ss/word")
		})
	}
}

func TestCheckOfRightsChangesNothing(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	keys, err := s.raw.DBSize(t.Context()).Result()
	require.NoError(t, err)
	require.Zero(t, keys)
}

// The servers of a Redis Cluster have a list of users each.
func TestMissingRightOnOneShardIsNamed(t *testing.T) {
	t.Parallel()
	c := servers.StartRedisCluster(t)
	var url string
	for i, node := range c.Nodes {
		of := append(append([]string{}, rights...), "+cluster|slots", "+info", "+config|get")
		if i == 1 {
			of = append(of, "-zadd")
		}
		url, _ = withUser(t, node.Address, of...)
	}
	_, err := redis.Open(t.Context(), url+"?addr="+c.Nodes[0].Address, redis.Options{Timeout: timeout})
	require.ErrorIs(t, err, redis.ErrSettings)
	require.ErrorContains(t, err, "run ACL SETUSER NAME +zadd (")
	admin := goredis.NewClient(&goredis.Options{Addr: c.Nodes[1].Address, Username: "admin", Password: "admin"})
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "booking", "+zadd").Err())
	db := &store{DB: openURL(t, url+"?addr="+c.Nodes[0].Address, 20*persistence.LeaseCall)}
	for range 8 {
		db.write(t, puts(db.adopt(t, booking.NewTrainID()), 2)...)
	}
	_, err = db.Join(t.Context(), "a")
	require.NoError(t, err)
	_, err = db.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
}
