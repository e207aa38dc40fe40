package postgres_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// canary is a part of each password here, so that one search finds any of them.
const canary = "canary7d1f0a"

func TestErrorOfAMalformedURLDoesNotQuoteIt(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		canary:        "postgres://user",
		"u:" + canary: "postgres://user",
		"http://u:" + canary + "@localhost/db?x=1":                     "postgres://user",
		"POSTGRES://u:" + canary + "@localhost/db":                     "postgres://user",
		"postgres://u:" + canary + "/x@localhost/db":                   "percent-encoded",
		"postgres://u:12/" + canary + "@localhost/db":                  "percent-encoded",
		"postgres://u@x:12/" + canary + "@localhost/db":                "percent-encoded",
		"postgres://u:x@" + canary + "@localhost/db":                   "percent-encoded",
		"postgres://u:12/x?" + canary + "@localhost/db":                "percent-encoded",
		"postgres://u:12/x?y=" + canary + "@localhost/db":              "percent-encoded",
		"postgres://u:" + canary + "%zz@localhost/db":                  "percent-encoded",
		"postgres://u:%@" + canary + "/db":                             "percent-encoded",
		"postgres://u:" + canary + "@localhost:port/db":                "percent-encoded",
		"postgres://u:" + canary + "@localhost:0/db":                   "percent-encoded",
		"postgres://localhost/db?password=a&" + canary:                 "percent-encoded",
		"postgres://localhost/db?password=a=" + canary:                 "percent-encoded",
		"postgres://localhost/db?sslmode=" + canary:                    "sslmode must be one of disable",
		"postgres://localhost/db?channel_binding=" + canary:            "channel_binding must be one of",
		"postgres://localhost/db?target_session_attrs=" + canary:       "target_session_attrs must be one of any",
		"postgres://localhost/db?target_session_attrs=standby":         "target_session_attrs must be one of any",
		"postgres://localhost/db?connect_timeout=" + canary:            "connect_timeout must be a number",
		"postgres://localhost/db?min_protocol_version=" + canary:       "min_protocol_version must be one of",
		"postgres://localhost/db?require_auth=" + canary:               "percent-encoded",
		"postgres://localhost/db?pool_max_conns=" + canary:             "pool_max_conns must be a number",
		"postgres://localhost/db?pool_max_conn_lifetime=" + canary:     "pool_max_conn_lifetime must be a time",
		"postgres://localhost/db?service=" + canary:                    "percent-encoded",
		"postgres://localhost/db?sslrootcert=/missing/" + canary:       "--database-tls-ca (sslrootcert) cannot be read: no such file",
		"postgres://localhost/db?sslrootcert=url_test.go":              "must be in PEM",
		"postgres://localhost/db?sslcert=url_test.go":                  "must be in PEM",
		"postgres://localhost/db?sslcrl=" + canary:                     "sslcrl has a value that this program does not support",
		"postgres://localhost/db?gssencmode=require":                   "use TLS with sslmode=verify-full",
		"postgres://localhost/db?requiressl=1":                         "use sslmode=require",
		"postgres://localhost/db?hostaddr=" + canary:                   "write the address as the host",
		"host=localhost password=" + canary + " sslmode=perhaps":       "sslmode must be one of",
		"host=localhost password = '" + canary + "' sslmode=perhaps":   "sslmode must be one of",
		"host=localhost password='" + canary:                           "postgres://user",
		"host=localhost password=a " + canary:                          "postgres://user",
		"host=localhost password=a " + canary + " b=c":                 "postgres://user",
		"host=localhost password=a\\ " + canary + " connect_timeout=x": "connect_timeout must be a number",
		"host=localhost port=" + canary:                                "port must be a number",
		"dbname=postgres://u:" + canary + "@localhost/db":              "postgres://user",
		"host=u:" + canary + "@localhost dbname=db":                    "postgres://user",
		"host=localhost user=u password=" + canary + "\x00":            "postgres://user",
		"postgres://u:" + canary + "\x00@localhost/db":                 "postgres://user",
		"postgres://u:12\n" + canary + "@localhost:x/db":               "postgres://user",
		"postgres://é" + canary + "é/db":                               "postgres://user",
	} {
		_, err := postgres.Open(t.Context(), text, quiet)
		require.ErrorIs(t, err, postgres.ErrSettings, text)
		require.ErrorContains(t, err, reason, text)
		require.NotContains(t, err.Error(), canary, text)
		_, err = postgres.Open(t.Context(), "postgres://localhost/db", postgres.Options{MigrateURL: text})
		require.ErrorIs(t, err, postgres.ErrSettings, text)
		require.NotContains(t, err.Error(), canary, text)
	}
}

func TestParameterThatOnlyLibpqHasIsWarnedAbout(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	db, err := postgres.Open(t.Context(), servers.Postgres(t)+"&keepalives_idle=30&tcp_user_timeout=9&gssencmode=disable&pool_max_conns=3&sslmode=disable",
		postgres.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.Equal(t, 3, strings.Count(log.String(), "has no effect"))
	require.Contains(t, log.String(), "tcp_user_timeout")
	require.NoError(t, db.Migrate(t.Context()))
}

func TestParameterThatPostgresRefusesIsASetting(t *testing.T) {
	t.Parallel()
	for parameter, named := range map[string]bool{
		"sslrotcert=/ca.crt":                true,
		"password=" + canary + "&nothing=1": false,
		"statement_timeout=" + canary:       false,
	} {
		_, err := postgres.Open(t.Context(), servers.Postgres(t)+"&"+parameter, quiet)
		if strings.HasPrefix(parameter, "statement_timeout") { // the service sets it itself
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, postgres.ErrSettings, parameter)
		require.ErrorContains(t, err, "SHOW ALL")
		require.Equal(t, named, strings.Contains(err.Error(), "sslrotcert"))
		require.NotContains(t, err.Error(), canary)
	}
	_, err := postgres.Open(t.Context(), servers.Postgres(t)+"&work_mem="+canary, quiet)
	require.ErrorIs(t, err, postgres.ErrSettings)
	require.NotContains(t, err.Error(), canary)
}

func FuzzErrorOfAURL(f *testing.F) {
	f.Add("postgres://u:", "@localhost:port/db")
	f.Add("host=localhost password=", " sslmode=x")
	f.Add("postgres://u:12/", "?a=b@localhost")
	f.Fuzz(func(t *testing.T, before, after string) {
		if err := postgres.Check(before + canary + after); err != nil {
			require.NotContains(t, err.Error(), canary)
		}
	})
}

// openTLS opens the database at tcp with further parameters and closes it. It tries again after a temporary error, as the service
// does: a server that refuses a certificate may reset the connection before the client has read why.
func openTLS(t *testing.T, tcp, parameters string, files servers.TLSFiles) error {
	t.Helper()
	options := quiet
	options.TLS = persistence.TLSFiles(files)
	var db *postgres.DB
	var err error
	require.Eventually(t, func() bool {
		db, err = postgres.Open(t.Context(), tcp+parameters, options)
		return err == nil || errors.Is(err, postgres.ErrSettings) || errors.Is(err, postgres.ErrPassword)
	}, 20*time.Second, 5*time.Millisecond)
	if err == nil {
		require.NoError(t, db.Migrate(t.Context()))
		require.NoError(t, db.Close())
	}
	return err
}

func TestTLSFilesAreTheSameAsParameters(t *testing.T) {
	t.Parallel()
	_, tcp, files := servers.StartPostgresWithTLS(t)
	query := url.Values{"sslrootcert": {files.Authority}, "sslcert": {files.Certificate}, "sslkey": {files.Key}, "sslmode": {"verify-full"}}
	none := servers.TLSFiles{}
	require.NoError(t, openTLS(t, tcp, "?"+query.Encode(), none))
	require.NoError(t, openTLS(t, tcp, "", files))
	require.NoError(t, openTLS(t, tcp, "?sslmode=verify-ca", files))
	require.NoError(t, openTLS(t, strings.Replace(tcp, "127.0.0.1", "localhost", 1), "?application_name=x", files))
	u, err := url.Parse(tcp)
	require.NoError(t, err)
	require.NoError(t, openTLS(t, "host=127.0.0.1 dbname=postgres user="+servers.TLSUser+" port="+u.Port(), "", files))

	for parameters, want := range map[string]string{
		"?sslrootcert=" + files.Authority: "--database-tls-ca is set, and the URL has sslrootcert too",
		"?sslmode=disable":                "sslmode=disable of the URL allows connections without TLS",
		"?sslmode=prefer":                 "sslmode=prefer of the URL allows connections without TLS",
	} {
		err := openTLS(t, tcp, parameters, files)
		require.ErrorIs(t, err, postgres.ErrSettings)
		require.ErrorContains(t, err, want)
	}
}

func TestTLSThatCannotSucceedIsASetting(t *testing.T) {
	t.Parallel()
	server, tcp, files := servers.StartPostgresWithTLS(t)
	_, other := servers.StartRedisWithTLS(t)
	session := connect(t, server.Address)
	session.do(`CREATE ROLE asha LOGIN SUPERUSER PASSWORD 'right'`)
	asha := strings.Replace(tcp, servers.TLSUser, "asha:right", 1)
	for _, c := range []struct {
		url, parameters string
		files           servers.TLSFiles
		want            string
	}{
		{tcp, "", servers.TLSFiles{Authority: other.Authority}, "is signed by an unknown authority"},
		{tcp, "?sslmode=verify-full", servers.TLSFiles{}, "is signed by an unknown authority"},
		{tcp, "", servers.TLSFiles{Authority: files.Authority, Certificate: other.Certificate, Key: other.Key}, "rejects this client's TLS handshake"},
		{tcp, "", servers.TLSFiles{Authority: files.Authority}, "28000"},
		{tcp, "", servers.TLSFiles{Authority: files.Authority, Certificate: files.Certificate}, "--database-tls-key"},
		{tcp, "", servers.TLSFiles{Authority: files.Authority, Certificate: files.Certificate, Key: other.Key}, "must be in PEM"},
		{asha, "?sslmode=disable&channel_binding=require", servers.TLSFiles{}, "does not support channel binding"},
		{asha, "?require_auth=md5", servers.TLSFiles{}, "require_auth"},
		{asha, "?sslcertmode=require&sslmode=disable", servers.TLSFiles{}, "sslcertmode=require"},
	} {
		err := openTLS(t, c.url, c.parameters, c.files)
		require.ErrorIs(t, err, postgres.ErrSettings, c.want)
		require.ErrorContains(t, err, c.want)
		require.NotErrorIs(t, err, postgres.ErrPassword)
	}
	require.NoError(t, openTLS(t, asha, "?channel_binding=require", servers.TLSFiles{Authority: files.Authority}))
	err := openTLS(t, strings.Replace(asha, "right", "wrong", 1), "", servers.TLSFiles{})
	require.ErrorIs(t, err, postgres.ErrPassword)

	server.Set(t, "ssl=off")
	require.Eventually(t, func() bool {
		return session.count(`SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'off'`) == 1
	}, 10*time.Second, 5*time.Millisecond)
	for _, mode := range []string{"require", "verify-full"} {
		err := openTLS(t, asha, "?sslmode="+mode, servers.TLSFiles{})
		require.ErrorIs(t, err, postgres.ErrSettings)
		require.ErrorContains(t, err, "Postgres does not use TLS")
	}
	require.NoError(t, openTLS(t, asha, "", servers.TLSFiles{}), "sslmode=prefer")
}
