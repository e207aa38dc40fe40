package servers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TLSFiles are files in PEM: a certificate, its key, and the authority that signed it.
type TLSFiles struct{ Authority, Certificate, Key string }

// StartRedisWithTLS starts a Redis that accepts only clients with a certificate. The files are
// those of the server, and of its clients too.
func StartRedisWithTLS(tb testing.TB) (*Server, TLSFiles) {
	tb.Helper()
	p, addr, port := newRedis(tb)
	files := newTLSFiles(tb, p)
	p.command = append(p.command, "--dir", p.dir, "--bind", "127.0.0.1", "--port", "0", "--tls-port", strconv.Itoa(port),
		"--tls-cert-file", files.Certificate, "--tls-key-file", files.Key, "--tls-ca-cert-file", files.Authority,
		"--appendonly", "yes", "--save", "")
	p.ready = func(ctx context.Context) error {
		// The certificate of the server is this one, so another process cannot be ready.
		certificate, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
		require.NoError(tb, err)
		roots := x509.NewCertPool()
		roots.AddCert(certificate.Leaf)
		d := &tls.Dialer{Config: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}}
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
	return started(tb, p, addr), files
}

// TLSUser is the name in the certificates, and the role of StartPostgresWithTLS that has no password.
const TLSUser = "trainbooking"

// StartPostgresWithTLS is StartPostgres that also listens on TCP, with and without TLS. TLSUser
// needs the certificate of the files, every other role its password. tcp is the URL for TLSUser,
// without parameters.
func StartPostgresWithTLS(tb testing.TB) (s *Server, tcp string, files TLSFiles) {
	tb.Helper()
	c, err := newCluster(tb.Context())
	require.NoError(tb, err)
	_, c.port, err = freePort(tb.Context())
	require.NoError(tb, err)
	files = newTLSFiles(tb, c.process)
	rules := "local all all trust\nhostssl all " + TLSUser + " 127.0.0.1/32 cert\nhost all all 127.0.0.1/32 scram-sha-256\n"
	require.NoError(tb, os.WriteFile(filepath.Join(c.data(), "pg_hba.conf"), []byte(rules), 0o600))
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(c.port),
		"ssl_cert_file=" + files.Certificate, "ssl_key_file=" + files.Key, "ssl_ca_file=" + files.Authority,
	} {
		c.process.command = append(c.process.command, "-c", setting)
	}
	s = c.started(tb)
	s.Set(tb, "ssl=on")
	require.NoError(tb, c.run(tb.Context(), "CREATE ROLE "+TLSUser+" LOGIN SUPERUSER"))
	return s, "postgres://" + TLSUser + "@127.0.0.1:" + strconv.Itoa(c.port) + "/postgres", files
}

// newTLSFiles makes a certificate that has signed itself, for 127.0.0.1 and localhost.
func newTLSFiles(tb testing.TB, p *process) TLSFiles {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: TLSUser},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(tb, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(tb, err)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(p.dir, name)
		require.NoError(tb, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		if p.owner != nil {
			require.NoError(tb, os.Chown(path, int(p.owner.Uid), int(p.owner.Gid)))
		}
		return path
	}
	cert := write("tls.crt", "CERTIFICATE", certificate)
	return TLSFiles{Authority: cert, Certificate: cert, Key: write("tls.key", "PRIVATE KEY", private)}
}
