package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"trainbooking.dev/persistence"
)

// merge returns the files of the URL and of the options. A URL without TLS must have none.
func merge(ofURL, ofOptions persistence.TLSFiles, isTLS bool) (files persistence.TLSFiles, err error) {
	for _, f := range []struct {
		flag, name        string
		url, option, into *string
	}{
		{"--redis-tls-ca", "ca_file", &ofURL.Authority, &ofOptions.Authority, &files.Authority},
		{"--redis-tls-cert", "cert_file", &ofURL.Certificate, &ofOptions.Certificate, &files.Certificate},
		{"--redis-tls-key", "key_file", &ofURL.Key, &ofOptions.Key, &files.Key},
	} {
		if *f.url != "" && *f.option != "" {
			return files, fmt.Errorf("%s is set, and the URL has %s too: remove one of them", f.flag, f.name)
		}
		*f.into = *f.url + *f.option
		if *f.into != "" && !isTLS {
			return files, fmt.Errorf("%s (%s) is set, but a URL that begins with redis:// does not use TLS: write rediss://", f.flag, f.name)
		}
	}
	if (files.Certificate == "") != (files.Key == "") {
		return files, errors.New("one of --redis-tls-cert (cert_file) and --redis-tls-key (key_file) is set: set both or neither")
	}
	return files, nil
}

// load returns a copy of the TLS settings with the contents of the files.
func load(files persistence.TLSFiles, base *tls.Config) (*tls.Config, error) {
	config := base.Clone()
	if files.Authority != "" {
		pem, err := os.ReadFile(files.Authority)
		if err != nil {
			return nil, fmt.Errorf("the file of --redis-tls-ca (ca_file) cannot be read: %w", withoutPath(err))
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("the file of --redis-tls-ca (ca_file) contains no PEM certificate")
		}
	}
	if files.Certificate == "" {
		return config, nil
	}
	certificate, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		return nil, fmt.Errorf("the files of --redis-tls-cert (cert_file) and --redis-tls-key (key_file) cannot be used: %w", withoutPath(err))
	}
	config.Certificates = []tls.Certificate{certificate}
	return config, nil
}

// withoutPath returns an error of opening a file without the path.
func withoutPath(err error) error {
	if inner, ok := errors.AsType[*os.PathError](err); ok {
		return inner.Err
	}
	return err
}
