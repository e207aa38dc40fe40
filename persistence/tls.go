package persistence

// TLSFiles are the paths of files in PEM for TLS to a server, "" if not set. They are renewed while
// the process runs, so they are read for each connection.
type TLSFiles struct {
	Authority   string // the authorities that may sign the server's certificate, instead of those of the system
	Certificate string // of this client
	Key         string // of Certificate
}
