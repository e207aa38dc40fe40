package cluster_test

import (
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// With certificates, peers use mutual TLS and refuse a client whose certificate another
// authority has signed.
func TestPeersUseMutualTLS(t *testing.T) {
	t.Parallel()
	ours := processtest.NewAuthority(t)
	c := newCluster(t, servers.Postgres(t), servers.Redis(t), peerFlags(t, ours)...)
	c.startNodes(3)
	user := processtest.SignUp(t, c.url, "asha")
	for _, train := range c.admin.AddTrains(t, 6, 10) { // the trains have several owners, and every process has each train
		for i, n := range c.nodes {
			locked := user.At(n.URL).MustLock(t, http.StatusOK, train.ID.String(), i+1)
			user.At(n.URL).MustConfirm(t, http.StatusOK, locked.SeatID)
		}
	}

	for name, files := range map[string][]string{"none": nil, "of another authority": peerFlags(t, processtest.NewAuthority(t))} {
		config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}} // the server verifies
		if files != nil {
			certificate, err := tls.LoadX509KeyPair(files[1], files[3])
			require.NoError(t, err)
			config.Certificates = []tls.Certificate{certificate}
		}
		require.ErrorContains(t, tlsError(t, c.nodes[0].address, config), "certificate", name)
	}
}

// tlsError connects and returns the error with which the server closes the connection.
func tlsError(t *testing.T, address string, config *tls.Config) error {
	t.Helper()
	connection, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return err
	}
	defer func() { require.NoError(t, connection.Close()) }()
	require.NoError(t, connection.SetDeadline(time.Now().Add(timeout)))
	_, err = connection.Read(make([]byte, 1))
	return err
}

// peerFlags signs a certificate for the processes of this test and returns the flags that use it.
func peerFlags(t *testing.T, a *processtest.Authority) []string {
	t.Helper()
	certificate, key := a.Issue(t)
	return []string{"--cluster-tls-cert", certificate, "--cluster-tls-key", key, "--cluster-tls-ca", a.File}
}
