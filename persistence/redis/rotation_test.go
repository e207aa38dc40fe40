package redis_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

// rotation is a Redis whose URL is replaced.
type rotation struct {
	db  *store
	log *lockedBuffer

	mu  sync.Mutex
	url string
	err error
}

func newRotation(t *testing.T, url string, files servers.TLSFiles) *rotation {
	t.Helper()
	r := &rotation{url: url, log: &lockedBuffer{}}
	db, err := redis.Open(t.Context(), url, redis.Options{
		Address: here, Timeout: 20 * persistence.LeaseCall, Reread: r.reread,
		TLS: persistence.TLSFiles(files), Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	r.db = &store{DB: db}
	return r
}

func (r *rotation) set(url string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.url, r.err = url, err
}

func (r *rotation) reread() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url, r.err
}

// requireWorks waits until calls of both kinds of connections succeed.
func (r *rotation) requireWorks(t *testing.T) {
	t.Helper()
	until(t, func() bool {
		lease := newLease(booking.NewTrainID())
		if _, err := persistencetest.AcquireLease(t.Context(), r.db, lease); err != nil {
			return false
		}
		results, err := r.db.WriteHolds(t.Context(), puts(guardOf(lease), 1))
		if err != nil || results[0] != nil {
			return false
		}
		_, err = r.db.Join(t.Context(), "a")
		return err == nil
	})
}

// do runs a command, whose words have no spaces.
func do(t *testing.T, client *goredis.Client, command string) {
	t.Helper()
	var words []any
	for word := range strings.FieldsSeq(command) {
		words = append(words, word)
	}
	require.NoError(t, client.Do(t.Context(), words...).Err())
}

func TestNewPasswordIsUsedUnderLoad(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	first, admin := withUser(t, address, append(rights, "+info", "+config|get")...)
	r := newRotation(t, first, servers.TLSFiles{})
	changes := r.db.Changes(t.Context())
	guard := r.db.adopt(t, booking.NewTrainID())
	stop, written := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				written <- n
				return
			default:
				if results, err := r.db.WriteHolds(t.Context(), puts(guard, 1)); err == nil && results[0] == nil {
					n++
				}
			}
		}
	}()
	for _, password := range []string{"second", "third"} {
		do(t, admin, "ACL SETUSER booking resetpass >"+password)
		do(t, admin, "CLIENT KILL USER booking")
		r.set("redis://booking:"+password+"@"+address, nil)
		r.requireWorks(t)
	}
	for len(changes) > 0 {
		<-changes
	}
	close(stop)
	require.Positive(t, <-written)
	_, err := r.db.Join(t.Context(), "b")
	require.NoError(t, err)
	until(t, func() bool { return len(changes) > 0 }) // the subscription is one of the new password
	require.Empty(t, r.log.String())
}

func TestURLThatCannotBeReadOrIsOfAnotherServerIsNotUsed(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	admin := connect(t, address)
	do(t, admin, "ACL SETUSER admin on >admin ~* &* +@all")
	admin = goredis.NewClient(&goredis.Options{Addr: address, Username: "admin", Password: "admin"})
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	do(t, admin, "CONFIG SET requirepass first")
	right := "redis://:first@" + address
	r := newRotation(t, right, servers.TLSFiles{})
	for _, c := range []struct {
		url    string
		err    error
		logged string
	}{
		{"", errors.New("the file is empty"), "the file is empty"},
		{"redis://:" + canary + "/@" + address, nil, "percent-encoded"},
		{"redis://:first@192.0.2.1", nil, "another host, database or form"},
		{right + "/3", nil, "another host, database or form"},
		{"rediss://:first@" + address, nil, "another host, database or form"},
	} {
		r.set(c.url, c.err)
		do(t, admin, "CLIENT KILL USER default")
		r.requireWorks(t)
		require.Equal(t, 1, strings.Count(r.log.String(), c.logged), "once: %s", r.log)
		require.NotContains(t, r.log.String(), canary)
		r.set(right, nil)
		do(t, admin, "CLIENT KILL USER default")
		r.requireWorks(t)
		r.log.Reset()
	}
	do(t, admin, "CONFIG SET requirepass second")
	r.set("redis://:second@192.0.2.1", nil)
	do(t, admin, "CLIENT KILL USER default")
	r.requireWorks(t)
}

func TestNewPasswordsOfSentinelsAndTheirMasterAreUsed(t *testing.T) {
	t.Parallel()
	s := servers.StartSentinel(t)
	var admins []*goredis.Client
	for _, address := range append([]string{s.Master.Address}, s.Addresses...) {
		do(t, connect(t, address), "ACL SETUSER admin on >admin ~* &* +@all")
		admin := goredis.NewClient(&goredis.Options{Addr: address, Username: "admin", Password: "admin"})
		t.Cleanup(func() { require.NoError(t, admin.Close()) })
		admins = append(admins, admin)
	}
	rotate := func(password string) string {
		for _, admin := range admins {
			do(t, admin, "ACL SETUSER booking on resetpass >"+password+" ~* &* +@all")
			do(t, admin, "ACL SETUSER watcher on resetpass >"+password+" ~* &* +@all")
		}
		return "redis://watcher:" + password + "@" + s.Addresses[0] + "?addr=" + s.Addresses[1] + "&addr=" + s.Addresses[2] +
			"&master_name=" + servers.SentinelMaster + "&username=booking&client_name=trains&password=" + password
	}
	url := rotate("first")
	for _, admin := range admins[1:] { // the Sentinels do not need it to find the master
		do(t, admin, "ACL SETUSER default resetpass >unknown")
	}
	r := newRotation(t, url, servers.TLSFiles{})
	r.requireWorks(t)
	for _, password := range []string{"second", "third"} {
		r.set(rotate(password), nil)
		for _, admin := range admins {
			do(t, admin, "CLIENT KILL USER booking")
			do(t, admin, "CLIENT KILL USER watcher")
		}
		r.requireWorks(t)
	}
	require.Contains(t, admins[0].ClientList(t.Context()).Val(), "name=trains")
	require.Contains(t, admins[1].ClientList(t.Context()).Val()+admins[2].ClientList(t.Context()).Val()+admins[3].ClientList(t.Context()).Val(), "user=watcher")
}

func TestNewPasswordOfAClusterIsUsed(t *testing.T) {
	t.Parallel()
	c := servers.StartRedisCluster(t)
	rotate := func(password string) (url string) {
		for _, address := range c.Addresses() {
			client := connect(t, address) // the default user has no password
			do(t, client, "ACL SETUSER booking on resetpass >"+password+" ~* &* +@all")
			do(t, client, "CLIENT KILL USER booking")
		}
		return "redis://booking:" + password + "@" + c.Addresses()[0] + "?addr=" + c.Addresses()[1]
	}
	r := newRotation(t, rotate("first"), servers.TLSFiles{})
	r.set(rotate("second"), nil)
	for range 8 { // on all shards
		r.requireWorks(t)
	}
}

func TestFilesForTLSAreReadForEachConnection(t *testing.T) {
	t.Parallel()
	server, files := servers.StartRedisWithTLS(t)
	_, other := servers.StartRedisWithTLS(t)
	authority := filepath.Join(t.TempDir(), "ca.crt")
	replace := func(target string) {
		require.NoError(t, os.Symlink(target, authority+".next"))
		require.NoError(t, os.Rename(authority+".next", authority))
	}
	replace(files.Authority)
	url := "rediss://" + server.Address
	r := newRotation(t, url, servers.TLSFiles{Authority: authority, Certificate: files.Certificate, Key: files.Key})
	certificate := servers.TLSFiles{Authority: files.Authority, Certificate: files.Certificate, Key: files.Key}
	kill := func() {
		admin, err := redis.Open(t.Context(), url, redis.Options{Timeout: timeout, TLS: persistence.TLSFiles(certificate)})
		require.NoError(t, err)
		require.NoError(t, admin.KillClients(t.Context()))
		require.NoError(t, admin.Close())
	}
	replace("/missing")
	kill()
	r.requireWorks(t)
	require.Contains(t, r.log.String(), "--redis-tls-ca (ca_file) cannot be read")
	replace(other.Authority)
	kill()
	_, err := r.db.Join(t.Context(), "a")
	require.Error(t, err, "the server has no certificate of the new authority")
	replace(files.Authority)
	r.requireWorks(t)
}

// lockedBuffer is a bytes.Buffer that is safe for concurrent use.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func (b *lockedBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buffer.Reset()
}
