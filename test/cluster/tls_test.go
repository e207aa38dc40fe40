package cluster_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
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
	ours := newAuthority(t)
	c := newCluster(t, servers.Postgres(t), servers.Redis(t), ours.flags(t)...)
	c.startNodes(3)
	user := processtest.SignUp(t, c.url, "asha")
	for _, train := range c.admin.AddTrains(t, 6, 10) { // the trains have several owners, and every process has each train
		for i, n := range c.nodes {
			locked := user.At(n.URL).MustLock(t, http.StatusOK, train.ID.String(), i+1)
			user.At(n.URL).MustConfirm(t, http.StatusOK, locked.SeatID)
		}
	}

	for name, files := range map[string][]string{"none": nil, "of another authority": newAuthority(t).flags(t)} {
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

// authority is a certificate authority.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	file        string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{key: key, file: filepath.Join(t.TempDir(), "ca.pem")}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	a.certificate, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// flags signs a certificate for the processes of this test and returns the flags that use it.
func (a *authority) flags(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "trainbooking"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(processtest.Host)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "EC PRIVATE KEY", secret)
	return []string{"--cluster-tls-cert", certFile, "--cluster-tls-key", keyFile, "--cluster-tls-ca", a.file}
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
