package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

// caUsage describes --ca of the commands that call the service.
const caUsage = "`FILE` with the certificate authority of the service, PEM. (default those of the system)"

// clientConns is how many idle connections a client keeps, for concurrent passengers.
const clientConns = 100

// newHTTPClient returns a client that trusts the certificate authorities in caFile, or those of the system if
// that is "". Over HTTP it ignores the proxy variables, because a proxy would see the passwords and tokens of
// the requests. Over HTTPS a proxy sees only the host.
func newHTTPClient(caFile string) (*http.Client, error) {
	authorities, err := certPool(caFile)
	if err != nil {
		return nil, usageError{err}
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:               tunnel,
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities},
		MaxIdleConns:        clientConns,
		MaxIdleConnsPerHost: clientConns,
	}}, nil
}

// tunnel returns the proxy for an HTTPS request.
func tunnel(r *http.Request) (*url.URL, error) {
	if r.URL.Scheme != "https" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// certPool reads the certificate authorities in a file, nil if path is "".
func certPool(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(contents) {
		return nil, fmt.Errorf("--ca %s contains no certificate; set it to a PEM file", path)
	}
	return pool, nil
}
