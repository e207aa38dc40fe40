package main

import (
	"crypto/x509"
	"log/slog"
	"slices"
)

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
