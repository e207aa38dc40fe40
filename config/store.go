package config

// Store has the settings of the store: a data directory or a Postgres database.
type Store struct {
	DataDir string `default:"${data_dir}" placeholder:"DIR" help:"Directory of the data, if --database-url is not set (${default})."`

	DatabaseURL     string `name:"database-url" placeholder:"URL" help:"Postgres database of the data, postgres://user:password@host/database."`
	DatabaseURLFile string `name:"database-url-file" placeholder:"FILE" help:"File with the value of --database-url, which keeps the password out of the process list."`
	MigrateURL      string `name:"migrate-url" placeholder:"URL" help:"URL of the same database without a connection pooler, for migrations."`
	MigrateURLFile  string `name:"migrate-url-file" placeholder:"FILE" help:"File with the value of --migrate-url."`
}

// Database reports whether the data is in Postgres.
func (s *Store) Database() bool { return s.DatabaseURL != "" || s.DatabaseURLFile != "" }

// Validate returns all problems of the store settings.
func (s *Store) Validate() Problems {
	var p Problems
	if s.DataDir == "" && !s.Database() {
		p.add("--data-dir is empty; set it to a directory that this user can write, such as %s", DefaultDataDir)
	}
	p.exclusive("database-url", s.DatabaseURL, s.DatabaseURLFile)
	p.exclusive("migrate-url", s.MigrateURL, s.MigrateURLFile)
	if (s.MigrateURL != "" || s.MigrateURLFile != "") && !s.Database() {
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
