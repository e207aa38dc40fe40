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

// TLSAdvice returns what to do about a permanent TLS error of a connection to server, or "" if err is
// something else. flags is the prefix of the flags for its files, such as --redis-tls.
func TLSAdvice(err error, server, flags string) string {
	operation, _ := errors.AsType[*net.OpError](err)
	switch {
	case isA[x509.UnknownAuthorityError](err):
		return "the certificate of " + server + " is signed by an unknown authority; set " + flags + "-ca to the file of that authority"
	case isA[x509.HostnameError](err):
		return "the certificate of " + server + " is not valid for this host; use a host name that is in the certificate"
	case isA[tls.RecordHeaderError](err):
		return server + " does not use TLS on this port; turn it on, or use a URL without TLS and no TLS files"
	case operation != nil && operation.Op == "remote error":
		return server + " rejects this client's TLS handshake; set " + flags + "-cert and " + flags + "-key to a certificate that it trusts"
	}
	return ""
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
