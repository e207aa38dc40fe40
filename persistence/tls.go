package persistence

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// TLSFiles are the paths of files in PEM for TLS to a server, "" if not set. They are renewed while
// the process runs, so they are read for each connection.
type TLSFiles struct {
	Authority   string // the authorities that may sign the server's certificate, instead of those of the system
	Certificate string // of this client
	Key         string // of Certificate
}

// TLSAdvice returns what to do about an error of TLS to a server that trying again does not end, ""
// if err is something else. flags is the beginning of the names of the flags for its files, such as
// --redis-tls.
func TLSAdvice(err error, server, flags string) string {
	operation, _ := errors.AsType[*net.OpError](err)
	switch {
	case isA[x509.UnknownAuthorityError](err):
		return "no trusted authority has signed the certificate of " + server + "; set " + flags + "-ca to a file with the one that has"
	case isA[x509.HostnameError](err):
		return "the certificate of " + server + " is not for this host; use a host that the certificate has"
	case isA[tls.RecordHeaderError](err):
		return server + " does not use TLS there; turn it on, or use a URL without TLS and no file for it"
	case operation != nil && operation.Op == "remote error":
		return server + " refuses the TLS of this client; set " + flags + "-cert and " + flags + "-key to a certificate that it trusts"
	}
	return ""
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
