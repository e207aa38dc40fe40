package client_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
)

func TestAuthoritiesAreReadAgainWhenTheirFileChanges(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, rules(), nil)
	secure := httptest.NewTLSServer(s.handler)
	t.Cleanup(secure.Close)
	file := filepath.Join(t.TempDir(), "ca.crt")
	write := func(certificates ...*x509.Certificate) {
		var text []byte
		for _, c := range certificates {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		require.NoError(t, os.WriteFile(file, text, 0o600))
	}
	ours, other := secure.Certificate(), otherCertificate(t)
	write(other)
	var log bytes.Buffer
	c := s.open(t, func(o *client.Options) {
		o.URL, o.CAFile, o.Logger = secure.URL, file, slog.New(slog.NewTextHandler(&log, nil))
	})
	refused := func() {
		t.Helper()
		_, err := c.CreateTrain(t.Context(), draft())
		require.Equal(t, booking.CodeUnavailable, booking.CodeOf(err))
		e, _ := errors.AsType[*booking.Error](err)
		require.Equal(t, booking.OutcomeNotExecuted, e.Outcome)
	}
	refused()
	write(other, ours)
	train := create(t, c)
	watch, err := c.WatchSeats(t.Context(), train.ID, "", "", booking.EventID{})
	require.NoError(t, err, "a stream trusts the same authorities")
	watch.Close()
	write(other)
	refused()
	write(ours)
	create(t, c)

	for _, spoil := range []func(){func() { write() }, func() { require.NoError(t, os.Remove(file)) }} {
		spoil()
		create(t, c)
		create(t, c)
	}
	require.Equal(t, 1, strings.Count(log.String(), "contains no certificate in PEM"), "once: %s", &log)
	require.Equal(t, 1, strings.Count(log.String(), "no such file"), "once: %s", &log)
	write(other)
	refused()
}

func TestFileWithoutAuthoritiesIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ca.crt")
	_, err := client.New(client.Options{URL: "https://example.org", CAFile: file})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte("no PEM"), 0o600))
	_, err = client.New(client.Options{URL: "https://example.org", CAFile: file})
	require.ErrorContains(t, err, file+" contains no certificate in PEM")
}

// otherCertificate returns a certificate that has signed itself, and nothing else.
func otherCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	text, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(text)
	require.NoError(t, err)
	return certificate
}
