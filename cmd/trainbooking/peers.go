package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"trainbooking.dev/config"
)

// peerLabel makes the derived peer tokens differ from anything else derived from a secret.
const peerLabel = "trainbooking cluster"

// peerTokens returns the tokens with which the processes of a cluster authenticate to each
// other: one for each signing secret, in the same order. They are derived with HKDF (RFC
// 5869), so a token does not reveal its secret.
func peerTokens(keys [][]byte) ([]string, error) {
	tokens := make([]string, len(keys))
	for i, key := range keys {
		token, err := hkdf.Key(sha256.New, key, nil, peerLabel, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive a token for peers: %w", err)
		}
		tokens[i] = base64.RawURLEncoding.EncodeToString(token)
	}
	return tokens, nil
}

// peerTLS returns the mutual TLS of the settings, or nil without a certificate. It reads the
// certificate for each connection, because that is renewed while the process runs. It reads
// the certificate authority only once.
func peerTLS(c *config.Cluster) (*tls.Config, error) {
	if c.ClusterTLSCert == "" {
		return nil, nil
	}
	load := func() (*tls.Certificate, error) {
		certificate, err := tls.LoadX509KeyPair(c.ClusterTLSCert, c.ClusterTLSKey)
		return &certificate, err
	}
	certificate, err := load()
	if err != nil {
		return nil, usageError{fmt.Errorf("--cluster-tls-cert %s: %w", c.ClusterTLSCert, err)}
	}
	name, err := peerName(certificate.Leaf, c.Advertise)
	if err != nil {
		return nil, usageError{fmt.Errorf("--cluster-tls-cert %s %w", c.ClusterTLSCert, err)}
	}
	pem, err := os.ReadFile(c.ClusterTLSCA)
	if err != nil {
		return nil, usageError{fmt.Errorf("--cluster-tls-ca: %w", err)}
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(pem) {
		return nil, usageError{fmt.Errorf("--cluster-tls-ca %s contains no certificate; set it to a PEM file", c.ClusterTLSCA)}
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    authority,
		ClientCAs:  authority,
		ClientAuth: tls.RequireAndVerifyClientCert,
		ServerName: name,

		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return load() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() },
	}, nil
}

// peerName returns the DNS name that the certificates of all peers must have, or "" if each
// must have the host of its address. Certificates are rarely issued for the IP address of a
// pod; if the address is one, the peers share a DNS name.
func peerName(certificate *x509.Certificate, advertised string) (string, error) {
	host, _, err := net.SplitHostPort(advertised)
	if err != nil {
		return "", err
	}
	if certificate.VerifyHostname(host) == nil {
		return "", nil
	}
	for _, name := range certificate.DNSNames {
		if net.ParseIP(host) != nil && !strings.HasPrefix(name, "*") {
			return name, nil
		}
	}
	return "", errors.New("is not for " + host + "; set it to a certificate for that name or, if --advertise is an IP address, for a DNS name that all processes share")
}
