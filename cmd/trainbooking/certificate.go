package main

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"slices"
	"sync/atomic"

	"trainbooking.dev/cmd/trainbooking/reload"
	"trainbooking.dev/config"
)

// serverTLS returns the TLS settings of the port for clients, or nil without a certificate. A renewed
// certificate is used for new connections.
func serverTLS(files *reload.Files, c *config.HTTP) (*tls.Config, error) {
	if !c.HasTLS() {
		return nil, nil
	}
	var latest atomic.Pointer[tls.Certificate]
	const flag = "--tls-cert"
	err := files.Watch(flag, func(contents [][]byte) ([]slog.Attr, error) {
		pair, err := tls.X509KeyPair(contents[0], contents[1])
		if err != nil {
			return nil, err
		}
		latest.Store(&pair)
		return aboutCertificate(pair.Leaf), nil
	}, c.TLSCert, c.TLSKey)
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return latest.Load(), nil },
	}, fileError(err, file{flag, c.TLSCert}, file{"--tls-key", c.TLSKey})
}

// aboutCertificate returns what to log about a certificate.
func aboutCertificate(c *x509.Certificate) []slog.Attr {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return []slog.Attr{
		slog.Any("names", names), slog.String("serial", c.SerialNumber.Text(16)), slog.Time("expires", c.NotAfter),
	}
}
