package config

import "github.com/spf13/pflag"

// Store has the settings of the store: a data directory or a Postgres database.
type Store struct {
	DataDir string

	DatabaseURL     string
	DatabaseURLFile string
	MigrateURL      string
	MigrateURLFile  string
	DatabaseTLS     TLSFiles
}

// TLSFiles are files for TLS to a server, "" if not set.
type TLSFiles struct{ CA, Cert, Key string }

func (t *TLSFiles) addFlags(f *pflag.FlagSet, prefix, server string) {
	f.StringVar(&t.CA, prefix+"-tls-ca", "", "`FILE` with the certificate authority of "+server+", PEM.")
	f.StringVar(&t.Cert, prefix+"-tls-cert", "", "`FILE` with the client certificate for "+server+", PEM.")
	f.StringVar(&t.Key, prefix+"-tls-key", "", "`FILE` with the private key of --"+prefix+"-tls-cert, PEM.")
}

// tlsFiles rejects a certificate without its key or the reverse, and files for a server without a URL.
func (p *Problems) tlsFiles(t TLSFiles, prefix string, hasURL bool) {
	if (t.Cert == "") != (t.Key == "") {
		p.add("--%s-tls-cert and --%s-tls-key belong together; set both or neither", prefix, prefix)
	}
	if t != (TLSFiles{}) && !hasURL {
		p.add("--%s-tls-ca, -cert or -key is set without --%s-url; set both or neither", prefix, prefix)
	}
}

// AddFlags adds the flags of the store.
func (s *Store) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&s.DataDir, "data-dir", DefaultDataDir, "`DIR` of the data, if --database-url is not set.")
	f.StringVar(&s.DatabaseURL, "database-url", "", "`URL` of the Postgres database of the data, postgres://user:password@host/database.")
	f.StringVar(&s.DatabaseURLFile, "database-url-file", "", "`FILE` with the value of --database-url, which keeps the password out of the process list.")
	f.StringVar(&s.MigrateURL, "migrate-url", "", "`URL` of the same database without a connection pooler, for migrations.")
	f.StringVar(&s.MigrateURLFile, "migrate-url-file", "", "`FILE` with the value of --migrate-url.")
	s.DatabaseTLS.addFlags(f, "database", "Postgres")
}

// HasDatabase reports whether the data is in Postgres.
func (s *Store) HasDatabase() bool { return s.DatabaseURL != "" || s.DatabaseURLFile != "" }

// Validate returns all problems of the store settings.
func (s *Store) Validate() Problems {
	var p Problems
	if s.DataDir == "" && !s.HasDatabase() {
		p.add("--data-dir is empty; set it to a directory that this user can write, such as %s", DefaultDataDir)
	}
	p.exclusive("database-url", s.DatabaseURL, s.DatabaseURLFile)
	p.exclusive("migrate-url", s.MigrateURL, s.MigrateURLFile)
	if (s.MigrateURL != "" || s.MigrateURLFile != "") && !s.HasDatabase() {
		p.add("--migrate-url is set without --database-url; set both to the same database")
	}
	p.tlsFiles(s.DatabaseTLS, "database", s.HasDatabase())
	return p
}

// exclusive rejects a setting that is given both directly and as a file.
func (p *Problems) exclusive(name, value, file string) {
	if value != "" && file != "" {
		p.add("--%s and --%s-file are both set; set one of them", name, name)
	}
}
