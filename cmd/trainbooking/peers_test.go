package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	main "trainbooking.dev/cmd/trainbooking"
	"trainbooking.dev/cmd/trainbooking/reload"
	"trainbooking.dev/config"
)

func TestEachSecretHasATokenThatDoesNotRevealIt(t *testing.T) {
	t.Parallel()
	older, newer := []byte("0123456789abcdef0123456789abcdef"), []byte("fedcba9876543210fedcba9876543210")
	before, err := main.PeerTokens([][]byte{older})
	require.NoError(t, err)
	during, err := main.PeerTokens([][]byte{newer, older})
	require.NoError(t, err)
	require.Len(t, before, 1)
	require.Len(t, during, 2)
	require.Equal(t, before[0], during[1], "the same in every process, in the order of the secrets")
	require.NotEqual(t, during[0], during[1])
	require.NotContains(t, during[0], string(newer))
}

// authority is a certificate authority that writes certificates to a directory.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &authority{t: t, dir: t.TempDir(), key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &key.PublicKey, key)
	require.NoError(t, err)
	a.write("ca.crt", "CERTIFICATE", der)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return a
}

func (a *authority) write(name, kind string, der []byte) {
	a.t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	require.NoError(a.t, os.WriteFile(filepath.Join(a.dir, name), text, 0o600))
}

// peer returns the settings of a process at address with a new certificate.
func (a *authority) peer(address string, serial int64, names ...string) *config.Cluster {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, a.cert, &key.PublicKey, a.key)
	require.NoError(a.t, err)
	a.write("tls.crt", "CERTIFICATE", der)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	a.write("tls.key", "PRIVATE KEY", private)
	return &config.Cluster{
		Advertise:      address,
		ClusterTLSCert: filepath.Join(a.dir, "tls.crt"), ClusterTLSKey: filepath.Join(a.dir, "tls.key"),
		ClusterTLSCA: filepath.Join(a.dir, "ca.crt"),
	}
}

// handshake connects two processes and returns the server's certificate.
func handshake(t *testing.T, dialling, listening *tls.Config) (*x509.Certificate, error) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	near, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = near.Close() })
	far, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = far.Close() })
	accepted := make(chan error, 1)
	go func() { accepted <- tls.Server(far, listening).HandshakeContext(t.Context()) }()
	client := tls.Client(near, dialling)
	if err := client.HandshakeContext(t.Context()); err != nil {
		_ = near.Close()
		return nil, errors.Join(err, <-accepted)
	}
	return client.ConnectionState().PeerCertificates[0], <-accepted
}

func TestPeersMayShareADNSName(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files := reload.New(slog.New(slog.DiscardHandler))
	current, err := main.PeerTLS(files, a.peer("10.0.0.7:8090", 2, "trainbooking-peers"))
	require.NoError(t, err)
	own := current()
	require.Equal(t, "trainbooking-peers", own.ServerName, "the name of the certificate")
	_, err = handshake(t, own, own)
	require.NoError(t, err)

	others, err := main.PeerTLS(files, newAuthority(t).peer("10.0.0.8:8090", 2, "trainbooking-peers"))
	require.NoError(t, err)
	stranger := others()
	_, err = handshake(t, own, stranger)
	require.Error(t, err, "another authority")
	stranger.RootCAs = own.RootCAs
	_, err = handshake(t, stranger, own)
	require.Error(t, err, "as a client too")
}

func TestRenewedFilesOfPeersAreUsed(t *testing.T) {
	t.Parallel()
	const address = "10.0.0.7:8090"
	a := newAuthority(t)
	files := reload.New(slog.New(slog.DiscardHandler))
	current, err := main.PeerTLS(files, a.peer(address, 2, "trainbooking-peers"))
	require.NoError(t, err)
	serial := func() int64 {
		t.Helper()
		files.Check()
		files.Check()
		seen, err := handshake(t, current(), current())
		require.NoError(t, err)
		return seen.SerialNumber.Int64()
	}
	require.EqualValues(t, 2, serial())
	a.peer(address, 3, "trainbooking-peers")
	require.EqualValues(t, 3, serial(), "a renewed certificate")

	a.write("tls.key", "PRIVATE KEY", []byte("garbage"))
	require.EqualValues(t, 3, serial(), "not a key")
	a.peer("10.0.0.7:8090", 4)
	require.EqualValues(t, 3, serial(), "a certificate without a name")

	next := newAuthority(t)
	next.dir = a.dir
	next.peer(address, 5, "another-name")
	next.write("ca.crt", "CERTIFICATE", next.cert.Raw)
	require.EqualValues(t, 5, serial(), "another authority and name")
	require.Equal(t, "another-name", current().ServerName)
}

func TestPeersMayHaveTheirOwnNames(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files := reload.New(slog.New(slog.DiscardHandler))
	own, err := main.PeerTLS(files, a.peer("node-1:8090", 2, "node-1"))
	require.NoError(t, err)
	require.Empty(t, own().ServerName, "the host of the address")
	_, err = main.PeerTLS(files, a.peer("node-1:8090", 2, "node-2"))
	require.ErrorContains(t, err, "is not for node-1; set it to")
	none, err := main.PeerTLS(files, &config.Cluster{Advertise: "node-1:8090"})
	require.NoError(t, err)
	require.Nil(t, none)
}
