package redis_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

// canary is a part of each password here, so that one search finds any of them.
const canary = "canary7d1f0a"

func TestErrorOfAMalformedURLDoesNotQuoteIt(t *testing.T) {
	t.Parallel()
	for address, reason := range map[string]string{
		"":                                                          "does not begin with redis://",
		canary + "@localhost:1":                                     "does not begin with redis://",
		"http://:" + canary + "@local":                              "does not begin with redis://",
		"REDIS://:" + canary + "@local":                             "does not begin with redis://",
		"redis://:" + canary + "@host:port":                         "percent-encoded",
		"redis://:" + canary + "@host/x":                            "percent-encoded",
		"redis://:s3cr/" + canary + "@host":                         "percent-encoded",
		"redis://:" + canary + "/et@host":                           "percent-encoded",
		"redis://:12/" + canary + "@host":                           "percent-encoded",
		"redis://:12/3#" + canary + "@host":                         "percent-encoded",
		"redis://:12?" + canary + "@host":                           "percent-encoded",
		"redis://:12?x=" + canary + "@host":                         "percent-encoded",
		"redis://:12#" + canary + "@host":                           "percent-encoded",
		"redis://u:a@b:12/" + canary + "@h":                         "percent-encoded",
		"redis://:" + canary + "%zz@host":                           "percent-encoded",
		"redis://:%z" + canary + "@host":                            "percent-encoded",
		"redis://:a b" + canary + "@host":                           "percent-encoded",
		"redis://:é/" + canary + "@host":                            "percent-encoded",
		"redis://é" + canary + ":1":                                 "percent-encoded",
		"redis://" + canary + "\x00":                                "percent-encoded",
		"redis://:" + canary + "\x7f@host":                          "percent-encoded",
		"redis://host?" + canary + "=1":                             "percent-encoded",
		"redis://host?protocol=" + canary:                           "percent-encoded",
		"redis://host?addr=" + canary:                               "percent-encoded",
		"redis://host?addr=u:" + canary + "@b:1":                    "percent-encoded",
		"redis://a?master_name=m&password=" + canary + "&y=1":       "percent-encoded",
		"redis://a?master_name=m&password=x&" + canary:              "percent-encoded",
		"redis://a?master_name=&password=" + canary:                 "percent-encoded",
		"redis://a?master_name=m&password=x;" + canary:              "percent-encoded",
		"redis://:" + canary + "@host/2?addr=b:1":                   "has only database 0",
		"redis://:" + canary + "@host?addr=b:1&read_only=true":      "reads from replicas",
		"redis://:" + canary + "@h?master_name=m&replica_only=true": "reads from replicas",
		"redis://:" + canary + "@host?ca_file=/missing":             "write rediss://",
		"rediss://:" + canary + "@host?ca_file=/missing":            "--redis-tls-ca (ca_file) cannot be read: no such file",
		"rediss://:" + canary + "@host?ca_file=url_test.go":         "no PEM certificate",
		"rediss://:" + canary + "@host?cert_file=/missing":          "set both or neither",
		"rediss://:" + canary + "@host?cert_file=/no&key_file=/no":  "cannot be used: no such file",
	} {
		_, err := openLogged(t, address)
		require.ErrorIs(t, err, redis.ErrSettings, address)
		require.ErrorContains(t, err, reason, address)
		require.NotContains(t, err.Error(), canary, address)
	}
}

func FuzzErrorOfAURL(f *testing.F) {
	f.Add("redis://:s3cr/", "@host")
	f.Add("rediss://u:12?addr=", "@localhost:port/db")
	f.Fuzz(func(t *testing.T, before, after string) {
		if err := redis.Check(before+canary+after, redis.Options{}); err != nil {
			require.NotContains(t, err.Error(), canary)
		}
	})
}

// openTLS opens a Redis with files and closes it. It tries again after a temporary error, as the service does: a
// server that refuses a certificate may reset the connection before the client has read why.
func openTLS(t *testing.T, address string, files servers.TLSFiles) error {
	t.Helper()
	var db *redis.DB
	var err error
	require.Eventually(t, func() bool {
		db, err = redis.Open(t.Context(), address, redis.Options{Timeout: timeout, TLS: persistence.TLSFiles(files)})
		return err == nil || errors.Is(err, redis.ErrSettings)
	}, 20*time.Second, 5*time.Millisecond)
	if err == nil {
		require.NoError(t, db.Close())
	}
	return err
}

func TestTLSFilesAreTheSameAsParameters(t *testing.T) {
	t.Parallel()
	server, files := servers.StartRedisWithTLS(t)
	require.NoError(t, openTLS(t, "rediss://"+server.Address, files))
	_, other := servers.StartRedisWithTLS(t)
	plain := servers.Redis(t)
	for _, c := range []struct {
		url   string
		files servers.TLSFiles
		want  string
	}{
		{"redis://" + server.Address, files, "write rediss://"},
		{"rediss://" + server.Address + "?ca_file=" + files.Authority, files, "--redis-tls-ca is set, and the URL has ca_file too"},
		{"rediss://" + server.Address, servers.TLSFiles{}, "is signed by an unknown authority"},
		{"rediss://" + server.Address, servers.TLSFiles{Authority: other.Authority}, "is signed by an unknown authority"},
		{"rediss://" + server.Address, servers.TLSFiles{Authority: files.Authority}, "rejects this client's TLS handshake"},
		{"rediss://" + server.Address, servers.TLSFiles{Authority: files.Authority, Certificate: other.Certificate, Key: other.Key}, "rejects this client's TLS handshake"},
		{"rediss://" + server.Address + "?addr=" + server.Address, servers.TLSFiles{Authority: other.Authority}, "is signed by an unknown authority"},
		{"rediss://" + server.Address + "?master_name=x", servers.TLSFiles{Authority: other.Authority}, "is signed by an unknown authority"},
		{"rediss://" + plain, servers.TLSFiles{}, "Redis does not use TLS on this port"},
		{"redis://" + server.Address, servers.TLSFiles{}, "Redis uses TLS on this port"},
		{"redis://" + plain + "/99", servers.TLSFiles{}, "DB index"},
	} {
		err := openTLS(t, c.url, c.files)
		require.ErrorIs(t, err, redis.ErrSettings, "%s: %v", c.want, err)
		require.ErrorContains(t, err, c.want)
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
