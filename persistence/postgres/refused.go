package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"trainbooking.dev/persistence"
)

// SQLSTATEs with which a server refuses a connection permanently.
const (
	invalidCatalogName   = "3D000"
	insufficientPrivs    = "42501" // no CONNECT privilege
	invalidAuthorization = "28000" // no such role, or refused by pg_hba.conf
	invalidPassword      = "28P01"
	undefinedObject      = "42704" // an unknown parameter
	invalidParameter     = "22023" // the value of a parameter
)

// translateOpen returns ErrSettings for errors that persist when Open is called again with the same
// URL: a server refuses it, or all hosts refuse the TLS.
func translateOpen(err error, url string) error {
	switch codeOf(err) {
	case invalidPassword:
		return fmt.Errorf("%w: %w: %w", ErrSettings, ErrPassword, err)
	case invalidCatalogName, insufficientPrivs, invalidAuthorization:
		return fmt.Errorf("%w: %w", ErrSettings, err)
	case undefinedObject, invalidParameter:
		return fmt.Errorf("%w: %w", ErrSettings, refusedParameter(err, url))
	}
	connect, ok := errors.AsType[*pgconn.ConnectError](err)
	if !ok {
		return err
	}
	failures := []error{errors.Unwrap(connect)}
	if joined, ok := failures[0].(interface{ Unwrap() []error }); ok {
		failures = joined.Unwrap()
	}
	advice := ""
	for _, failure := range failures {
		if advice = adviceOf(failure); advice == "" {
			return err // another host may be up later
		}
	}
	return fmt.Errorf("%w: %s: %w", ErrSettings, advice, err)
}

// adviceOf returns what to do about a connection that failed because of TLS or of the URL's
// requirements, "" if it may succeed later. The driver has no types for these errors; tests with a
// real server fail if their texts change.
func adviceOf(err error) string {
	if advice := persistence.TLSAdvice(err, "Postgres", "--database-tls"); advice != "" {
		return advice
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "server refused TLS connection"):
		return "Postgres does not use TLS; turn ssl on there, or set sslmode=disable and no TLS files"
	case strings.Contains(text, "channel binding"):
		return "this server or pooler does not support channel binding; use TLS and scram-sha-256 there, or remove channel_binding=require"
	case strings.Contains(text, "require_auth check failed"):
		return "Postgres uses an authentication method that require_auth does not permit; change require_auth or pg_hba.conf"
	case strings.Contains(text, "sslcertmode check failed"):
		return "Postgres did not ask for a client certificate, which sslcertmode=require demands; remove it or change pg_hba.conf"
	}
	return ""
}

// refusedParameter returns the error for a parameter that the server refuses. The server's error quotes
// the parameter, which may be a part of a password if the URL has one among its parameters.
func refusedParameter(err error, url string) error {
	rest, isURL := cutScheme(url)
	if _, query, found := strings.Cut(rest, "?"); isURL && (!found || !strings.Contains(query, "password")) && codeOf(err) == undefinedObject {
		return fmt.Errorf("%w: %w", errParameter, err)
	}
	return errParameter
}

var errParameter = errors.New("the server refuses a parameter of the URL: " +
	"remove parameters that are neither of libpq nor a setting of Postgres (SHOW ALL lists the settings)")
