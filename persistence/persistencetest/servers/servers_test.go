package servers_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// abandoned is the environment variable that makes a child process start servers and wait to be
// killed.
const abandoned = "SERVERS_TEST_ABANDONED"

func TestServersEndWhenTheTestBinaryIsKilled(t *testing.T) {
	t.Parallel()
	if os.Getenv(abandoned) != "" {
		fmt.Println(servers.Postgres(t))           //nolint:forbidigo // for the parent
		fmt.Println(servers.StartRedis(t).Address) //nolint:forbidigo // for the parent
		select {}
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), abandoned+"=1")
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	database, err := url.Parse(lines.Text())
	require.NoError(t, err)
	require.True(t, lines.Scan())
	redis := lines.Text()
	_, err = net.Dial("tcp", redis)
	require.NoError(t, err)

	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait(), "killed")
	dir := database.Query().Get("host")
	require.Contains(t, dir, "trainbooking-")
	require.Eventually(t, func() bool {
		_, err := os.Stat(dir)
		_, refused := net.Dial("tcp", redis)
		return os.IsNotExist(err) && refused != nil
	}, 30*time.Second, 10*time.Millisecond)
}

func TestKilledRedisRestartsWithItsData(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	require.Equal(t, "+OK", send(t, server.Address, "SET k v", 1))
	require.Equal(t, "noeviction", send(t, server.Address, "CONFIG GET maxmemory-policy", 5))
	server.Kill(t)
	_, err := net.Dial("tcp", server.Address)
	require.Error(t, err)
	server.Start(t)
	require.Equal(t, "v", send(t, server.Address, "GET k", 2))
}

func TestRewoundRedisHasTheDataOfItsCopy(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	require.Equal(t, "+OK", send(t, server.Address, "SET k old", 1))
	server.Copy(t)
	require.Equal(t, "+OK", send(t, server.Address, "SET k new", 1))
	for range 2 { // a second time, with the data of the first
		server.Kill(t)
		server.Rewind(t)
		server.Start(t)
		require.Equal(t, "old", send(t, server.Address, "GET k", 2))
		server.Copy(t)
	}
}

func TestHaltedPostgresRestartsWithItsData(t *testing.T) {
	t.Parallel()
	server := servers.StartPostgres(t)
	servers.Query(t, server.Address, "CREATE TABLE kept (n int)")
	for n, signal := range []string{"INT", "QUIT"} {
		servers.Query(t, server.Address, fmt.Sprintf("INSERT INTO kept VALUES (%d)", n))
		server.Halt(t, signal)
		server.Start(t)
		require.Len(t, servers.Query(t, server.Address, "SELECT n FROM kept"), n+1, signal)
	}
}

func TestPausedRedisRepliesAfterResume(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	server.Pause(t)
	c, err := net.Dial("tcp", server.Address)
	require.NoError(t, err, "the kernel accepts connections")
	defer c.Close()
	_, err = c.Write([]byte("PING\r\n"))
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	pong := make([]byte, 7)
	_, err = c.Read(pong)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	server.Resume(t)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = c.Read(pong)
	require.NoError(t, err)
	require.Equal(t, "+PONG\r\n", string(pong))
}

func TestEachCallReturnsANewDatabase(t *testing.T) {
	t.Parallel()
	first, second, empty := servers.Postgres(t), servers.Postgres(t), servers.EmptyPostgres(t)
	require.NotEqual(t, first, second)
	for address, migrated := range map[string]bool{first: true, second: true, empty: false} {
		db, err := postgres.Open(t.Context(), address, postgres.Options{})
		require.NoError(t, err)
		current, newest, err := db.Version(t.Context())
		require.NoError(t, err)
		require.Equal(t, migrated, current == newest)
		require.NoError(t, db.Close())
	}
	parsed, err := url.Parse(first)
	require.NoError(t, err)
	info, err := os.Stat(parsed.Query().Get("host"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// send sends a command to Redis and returns a line of the reply, counted from 1.
func send(t *testing.T, address, command string, line int) string {
	t.Helper()
	reply, err := try(address, command, line)
	require.NoError(t, err)
	return reply
}

func try(address, command string, line int) (string, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err = c.Write([]byte(command + "\r\n")); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(c)
	for range line {
		if !lines.Scan() {
			return "", errors.Join(lines.Err(), io.ErrUnexpectedEOF)
		}
	}
	return lines.Text(), nil
}

// requirePromoted waits until a replica is the master. A sentinel that promotes it closes the
// connections of its clients, so that a command may fail.
func requirePromoted(t *testing.T, replica *servers.Server) {
	t.Helper()
	require.Eventually(t, func() bool {
		role, err := try(replica.Address, "INFO replication", 3)
		return err == nil && role == "role:master"
	}, 30*time.Second, 10*time.Millisecond)
}

func TestRedisClusterPromotesAReplica(t *testing.T) {
	t.Parallel()
	c := servers.StartRedisCluster(t)
	require.Len(t, c.Nodes, 6)
	require.Equal(t, "role:master", send(t, c.Nodes[0].Address, "INFO replication", 3))
	require.Equal(t, "role:slave", send(t, c.Replica(0).Address, "INFO replication", 3))
	c.Nodes[0].Kill(t)
	requirePromoted(t, c.Replica(0))
}

func TestSentinelsPromoteTheReplica(t *testing.T) {
	t.Parallel()
	s := servers.StartSentinel(t)
	require.Len(t, s.Addresses, 3)
	require.Equal(t, "role:slave", send(t, s.Replica.Address, "INFO replication", 3))
	s.Master.Kill(t)
	requirePromoted(t, s.Replica)
}

func TestRedisWithTLSAcceptsNoOthers(t *testing.T) {
	t.Parallel()
	server, files := servers.StartRedisWithTLS(t)
	certificate, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	for _, own := range [][]tls.Certificate{nil, {certificate}} {
		d := &tls.Dialer{Config: &tls.Config{RootCAs: roots, Certificates: own, MinVersion: tls.VersionTLS12}}
		c, err := d.DialContext(t.Context(), "tcp", server.Address)
		require.NoError(t, err)
		pong := ""
		// In TLS 1.3, a refused certificate is reported after the handshake, by the write or the read.
		if _, err = c.Write([]byte("PING\r\n")); err == nil {
			pong, err = bufio.NewReader(c).ReadString('\n')
		}
		if own == nil {
			require.Error(t, err)
		} else {
			require.NoError(t, err)
			require.Equal(t, "+PONG\r\n", pong)
		}
		_ = c.Close() // Redis may have closed it
	}
}
