package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"trainbooking.dev/cmd/trainbooking/reload"
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

// peerTLS returns the mutual TLS of the settings, or nil without a certificate. Certificates are
// renewed while the process runs, so the result is called for each connection.
func peerTLS(files *reload.Files, c *config.Cluster) (current func() *tls.Config, err error) {
	if c.ClusterTLSCert == "" {
		return nil, nil
	}
	var latest atomic.Pointer[tls.Config]
	const flag = "--cluster-tls-cert"
	err = files.Watch(flag, func(contents [][]byte) ([]slog.Attr, error) {
		settings, err := peerSettings(contents[0], contents[1], contents[2], c.Advertise)
		if err != nil {
			return nil, err
		}
		latest.Store(settings)
		return aboutCertificate(settings.Certificates[0].Leaf), nil
	}, c.ClusterTLSCert, c.ClusterTLSKey, c.ClusterTLSCA)
	return latest.Load, fileError(err, file{flag, c.ClusterTLSCert},
		file{"--cluster-tls-key", c.ClusterTLSKey}, file{"--cluster-tls-ca", c.ClusterTLSCA})
}

// peerSettings returns the mutual TLS of a process that advertises an address. Its arguments are in
// PEM.
func peerSettings(certificate, key, authorities []byte, advertised string) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	name, err := peerName(pair.Leaf, advertised)
	if err != nil {
		return nil, err
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(authorities) {
		return nil, errors.New("--cluster-tls-ca contains no certificate; set it to a PEM file")
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{pair},
		RootCAs:      authority,
		ClientCAs:    authority,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ServerName:   name,
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
