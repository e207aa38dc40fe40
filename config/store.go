package config

import "github.com/spf13/pflag"

// Store has the settings of the store: a data directory or a Postgres database.
type Store struct {
	DataDir string

	DatabaseURL     string
	DatabaseURLFile string
	MigrateURL      string
	MigrateURLFile  string
}

// AddFlags adds the flags of the store.
func (s *Store) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&s.DataDir, "data-dir", DefaultDataDir, "`DIR` of the data, if --database-url is not set.")
	f.StringVar(&s.DatabaseURL, "database-url", "", "`URL` of the Postgres database of the data, postgres://user:password@host/database.")
	f.StringVar(&s.DatabaseURLFile, "database-url-file", "", "`FILE` with the value of --database-url, which keeps the password out of the process list.")
	f.StringVar(&s.MigrateURL, "migrate-url", "", "`URL` of the same database without a connection pooler, for migrations.")
	f.StringVar(&s.MigrateURLFile, "migrate-url-file", "", "`FILE` with the value of --migrate-url.")
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
	return p
}

// exclusive rejects a setting that is given both directly and as a file.
func (p *Problems) exclusive(name, value, file string) {
	if value != "" && file != "" {
		p.add("--%s and --%s-file are both set; set one of them", name, name)
	}
}
