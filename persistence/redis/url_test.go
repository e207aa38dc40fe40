package redis_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

func TestErrorOfAMalformedAddressHasNoPassword(t *testing.T) {
	t.Parallel()
	for address, reason := range map[string]string{
		"":                                                           "does not begin with redis://",
		"localhost:6379":                                             "does not begin with redis://",
		"hunter2@localhost:1":                                        "does not begin with redis://",
		"http://:hunter2@local":                                      "does not begin with redis://",
		"redis://:hunter2@localhost:port":                            `invalid port ":port"`,
		"redis://:hunter2@localhost/x":                               `invalid database number: "x"`,
		"redis://:hunter2@localhost?nonsense=1":                      "unexpected option: nonsense",
		"redis://:hunter2@localhost?addr=b":                          "unable to parse addr param: b",
		"redis://:hunter2@localhost/2?addr=b:1":                      "has only database 0",
		"redis://:hunter2@localhost?master_name=":                    "master_name is empty",
		"redis://:hunter2@localhost?master_name=m&x=1":               "unexpected option: x",
		"redis://a?master_name=m&password=hunter2&y=1":               "malformed",
		"redis://a?master_name=m&password=x&hunter2":                 "malformed",
		"redis://:hunter2@a?addr=b:1&addr=:hunter2@c":                "percent-encoded",
		"redis://:hunter2%zz@localhost":                              "percent-encoded",
		"redis://:hunter2/x@localhost":                               "percent-encoded",
		"redis://:hunter2?x@localhost":                               "percent-encoded",
		"redis://u:12/hunter2@localhost":                             "percent-encoded",
		"redis://hunter2\x00":                                        "malformed",
		"redis://:hunter2@localhost?addr=b:1&read_only=true":         "reads from replicas",
		"redis://:hunter2@localhost?master_name=m&replica_only=true": "reads from replicas",
		"redis://:hunter2@localhost?ca_file=/missing":                "use rediss://",
		"rediss://:hunter2@localhost?ca_file=/missing":               "open /missing",
		"rediss://:hunter2@localhost?ca_file=url_test.go":            "no certificate in PEM",
		"rediss://:hunter2@localhost?cert_file=/missing":             "set both or neither",
		"rediss://:hunter2@localhost?cert_file=/no&key_file=/no":     "open /no",
	} {
		_, err := openLogged(t, address)
		require.ErrorIs(t, err, redis.ErrSettings, address)
		require.ErrorContains(t, err, reason, address)
		if address != "redis://hunter2\x00" { // a host
			require.NotContains(t, err.Error(), "hunter2", address)
		}
	}
}

func TestRedisWithTLS(t *testing.T) {
	t.Parallel()
	server, files := servers.StartRedisWithTLS(t)
	query := url.Values{"ca_file": {files.Authority}, "cert_file": {files.Certificate}, "key_file": {files.Key}}
	db := openURL(t, "rediss://"+server.Address+"/2?"+query.Encode(), 20*persistence.LeaseCall)
	s := &store{DB: db}
	s.write(t, puts(s.adopt(t, booking.NewTrainID()), 2)...)

	for _, missing := range []string{"ca_file", "cert_file"} {
		without := url.Values{"ca_file": query["ca_file"], "cert_file": query["cert_file"], "key_file": query["key_file"]}
		delete(without, missing)
		if missing == "cert_file" {
			delete(without, "key_file")
		}
		_, err := openLogged(t, "rediss://"+server.Address+"?"+without.Encode())
		require.Error(t, err)
		require.NotErrorIs(t, err, persistence.ErrUnknown)
	}
}

// TestUserNeedsOnlyTheseCommands has the user of docs/operations.md.
func TestUserNeedsOnlyTheseCommands(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	raw := connect(t, server.Address)
	require.NoError(t, raw.Do(t.Context(), "ACL", "SETUSER", "booking", "on", ">p@ss/word", "~{t:*", "~{h:*", "~{a:*", "~{members}*", "&{members}*",
		"-@all", "+@read", "+@write", "+@scripting", "+@connection", "+@pubsub", "-@dangerous",
		"+time", "+info", "+config|get", "+cluster|slots").Err())
	s := &store{DB: openURL(t, "redis://"+url.UserPassword("booking", "p@ss/word").String()+"@"+server.Address, 20*persistence.LeaseCall)}
	changes := s.Changes(t.Context())
	guard := s.adopt(t, booking.NewTrainID())
	writes := puts(guard, 2)
	s.write(t, writes...)
	require.Len(t, s.held(t, guard.Train), 2)
	held, err := s.HoldsOfUser(t.Context(), writes[0].Hold.User, time.Now())
	require.NoError(t, err)
	require.Len(t, held.Holds, 1)
	results, err := s.RenewLeases(t.Context(), []persistence.Lease{leaseOf(guard)})
	require.NoError(t, err)
	require.Equal(t, []error{nil}, results)
	_, err = s.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(changes) == 1 }, timeout, tick)
	<-changes
	_, err = s.Join(t.Context(), "a")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(changes) == 1 }, timeout, tick)
	end, err := s.BeginAttempt(t.Context(), "login:x", booking.AttemptLimit{Max: 1, Window: time.Minute})
	require.NoError(t, err)
	require.NoError(t, end(true))
	log, err := openLogged(t, "redis://"+url.UserPassword("booking", "p@ss/word").String()+"@"+server.Address)
	require.NoError(t, err)
	require.Empty(t, log)

	// That of the version before had no right to the sets of users.
	require.NoError(t, raw.Do(t.Context(), "ACL", "SETUSER", "booking", "resetkeys", "~{t:*", "~{a:*", "~{members}*").Err())
	writes = puts(guard, 2)
	s.write(t, writes...)
	_, err = s.HoldsOfUser(t.Context(), writes[0].Hold.User, time.Now())
	require.Error(t, err)
}
