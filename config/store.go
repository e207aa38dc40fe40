package config

// Store is where what was sold is kept: in a directory, or in a database when one is
// named.
type Store struct {
	DataDir string `default:"${data_dir}" placeholder:"DIR" help:"Where the data lies, unless a database is named (${default})."`

	DatabaseURL     string `name:"database-url" placeholder:"URL" help:"The Postgres to keep the data in, postgres://user:password@host/database."`
	DatabaseURLFile string `name:"database-url-file" placeholder:"FILE" help:"A file with what --database-url says, which keeps it from other users of the machine."`
	MigrateURL      string `name:"migrate-url" placeholder:"URL" help:"Leads to the same Postgres without the pooler that --database-url leads to."`
	MigrateURLFile  string `name:"migrate-url-file" placeholder:"FILE" help:"A file with what --migrate-url says."`
}

// Database reports whether the data is in Postgres.
func (s *Store) Database() bool { return s.DatabaseURL != "" || s.DatabaseURLFile != "" }

// Validate returns what is wrong with where the data is, nil when nothing is.
func (s *Store) Validate() Problems {
	var p Problems
	if s.DataDir == "" && !s.Database() {
		p.add("--data-dir is empty; set it to a directory that this user may write, such as %s", DefaultDataDir)
	}
	p.either("database-url", s.DatabaseURL, s.DatabaseURLFile)
	p.either("migrate-url", s.MigrateURL, s.MigrateURLFile)
	if (s.MigrateURL != "" || s.MigrateURLFile != "") && !s.Database() {
		p.add("--migrate-url leads to the database of --database-url, which is not set; set that too")
	}
	return p
}

// either is for a secret that is given by itself or in a file.
func (p *Problems) either(name, value, file string) {
	if value != "" && file != "" {
		p.add("--%s and --%s-file are both set; set one of them", name, name)
	}
}
