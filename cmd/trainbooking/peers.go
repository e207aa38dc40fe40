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

// peerLabel sets the tokens of peers apart from whatever else follows from a secret.
const peerLabel = "trainbooking cluster"

// peerTokens returns what the processes of a cluster prove to each other, one for each
// signing secret in the same order: who has the secrets can be anyone anyhow, and a
// token gives none of them away (HKDF, RFC 5869).
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

// peerTLS returns the mutual TLS of the settings, nil when they ask for none. The
// certificate is read again for each connection, because it is renewed while the process
// runs; the authority is not.
func peerTLS(c *config.Cluster) (*tls.Config, error) {
	if c.ClusterTLSCert == "" {
		return nil, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(c.ClusterTLSCert, c.ClusterTLSKey)
		return &pair, err
	}
	pair, err := load()
	if err != nil {
		return nil, usageError{fmt.Errorf("--cluster-tls-cert %s: %w", c.ClusterTLSCert, err)}
	}
	name, err := peerName(pair.Leaf, c.Advertise)
	if err != nil {
		return nil, usageError{fmt.Errorf("--cluster-tls-cert %s %w", c.ClusterTLSCert, err)}
	}
	pem, err := os.ReadFile(c.ClusterTLSCA)
	if err != nil {
		return nil, usageError{fmt.Errorf("--cluster-tls-ca: %w", err)}
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(pem) {
		return nil, usageError{fmt.Errorf("--cluster-tls-ca %s has no certificate in it; set it to a PEM file", c.ClusterTLSCA)}
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

// peerName returns the name that the certificates of all peers must have, or "" when
// each must have the name that it is dialled by. No authority signs the address of a
// pod; there one certificate, or one name, is for all of them.
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
	return "", errors.New("is not for " + host + "; set it to a certificate for that, or, where --advertise is an IP address, for one DNS name that all processes share")
}
