package servers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// SentinelMaster is the name of the master that the Sentinels watch.
const SentinelMaster = "booking"

const sentinels = 3

// Sentinel is a Redis with a replica, and three Sentinels that promote the replica when the master
// has not responded for a second.
type Sentinel struct {
	Master, Replica *Server
	Addresses       []string // of the Sentinels
}

// StartSentinel starts the servers and waits until the replica follows the master and the Sentinels
// have found each other.
func StartSentinel(tb testing.TB) *Sentinel {
	tb.Helper()
	s := &Sentinel{Master: StartRedis(tb)}
	host, port, _ := strings.Cut(s.Master.Address, ":")
	s.Replica = startRedis(tb, nil, "--replicaof", host, port)
	awaitReply(tb, s.Replica.Address, "INFO replication", "master_link_status:up")
	for range sentinels {
		s.Addresses = append(s.Addresses, startSentinel(tb, host, port))
	}
	for _, addr := range s.Addresses {
		awaitReply(tb, addr, "INFO sentinel", fmt.Sprintf("status=ok,address=%s,slaves=1,sentinels=%d", s.Master.Address, sentinels))
	}
	return s
}

// startSentinel starts one Sentinel, which rewrites its configuration.
func startSentinel(tb testing.TB, host, port string) (addr string) {
	tb.Helper()
	p, addr, own := newRedis(tb)
	file := filepath.Join(p.dir, "sentinel.conf")
	text := fmt.Sprintf(`bind 127.0.0.1
port %[4]d
dir %[5]s
sentinel monitor %[1]s %[2]s %[3]s 2
sentinel down-after-milliseconds %[1]s 1000
sentinel failover-timeout %[1]s 3000
`, SentinelMaster, host, port, own, p.dir)
	require.NoError(tb, os.WriteFile(file, []byte(text), 0o600))
	if p.owner != nil {
		require.NoError(tb, os.Chown(file, int(p.owner.Uid), int(p.owner.Gid)))
	}
	p.command = append(p.command, file, "--sentinel")
	p.ready = func(ctx context.Context) error {
		_, err := send(ctx, addr, "SENTINEL MASTER "+SentinelMaster)
		return err
	}
	return started(tb, p, addr).Address
}
