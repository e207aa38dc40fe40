package main

// description is the page of the program.
const description = `
Trainbooking sells the seats of trains over HTTP. serve runs the service; the
other commands work on its data or send requests to it.

Each flag of serve can also be set by an environment variable, such as
TRAINBOOKING_HOLD_TTL, or by a line of the file named by --config, such as
hold-ttl: 5m. A flag takes precedence over a variable, and a variable over the
file. Other commands read the same settings where they have the same flags.

The exit status is 0 after success, 1 after a failure, 2 if the command line or
a setting is wrong, and 3 if the other processes of a cluster have evicted this
one; then restart it.`

// page is the part of a command's help that does not describe its flags.
type page struct{ description, examples string }

// pages are the pages of the commands by name. The examples are complete command lines.
var pages = map[string]page{
	"": {description, `
trainbooking serve --demo
trainbooking serve --help`},
	"serve": {`
Without --database-url and --redis-url, the service is one process with its data
in --data-dir. With both, it is one process of a cluster, and also needs
--advertise and --jwt-secret-file. SIGTERM or SIGINT stops it.`, `
# One process, with a small timetable to try it:
trainbooking serve --demo

# One process of a cluster:
trainbooking serve --database-url-file database-url --redis-url-file redis-url \
  --jwt-secret-file jwt-secret --advertise 10.0.0.7:8090`},
	"migrate": {`
serve migrates at start unless --migrate=false. It is safe to run migrate again,
or several at once.`, `
trainbooking migrate --data-dir /var/lib/trainbooking
trainbooking migrate --database-url-file database-url`},
	"createsuperuser": {`
The command prompts for the password. It fails if a user with that name exists.`, `
trainbooking createsuperuser --username root --email root@example.org
trainbooking createsuperuser --username root --email root@example.org --password-stdin < password`},
	"set-password": {`
The command prompts for the password, and revokes the user's refresh tokens.`, `
trainbooking set-password --username asha
trainbooking set-password --username asha --database-url-file database-url --password-stdin < password`},
	"copy": {`
The service must be stopped. With --redis-url, live holds are copied too. The
command can be interrupted and run again.`, `
trainbooking copy --data-dir data --database-url-file database-url --redis-url-file redis-url`},
	"backup": {`
If PATH is a directory, the backup is a file in it, named by date and time.
Otherwise PATH is the name of the new file. Existing files are not overwritten.
The service may be running.`, `
trainbooking backup --data-dir data monday.db
trainbooking backup --data-dir data --keep 7 /var/backups`},
	"restore": {`
The service must be stopped. If the data directory has a database, --force is
required, and that database is kept under another name. All users must log in
again.`, `
trainbooking restore --data-dir data monday.db`},
	"healthcheck": {`
The command requests /readyz, with a timeout of five seconds.`, `
trainbooking healthcheck
trainbooking healthcheck --url http://localhost:8081`},
	"smoke": {`
The command checks an installation from outside. It registers a user and books a
seat; both remain. With a service token it adds a train and deletes it again.`, `
trainbooking smoke --url http://booking:8080
trainbooking smoke --url http://booking:8080 --service-token-file token --for 10m --clients 8`},
	"import gtfs": {`
FEED is a ZIP file, a directory, or - for standard input. Importing a new
version of a feed changes only what differs.`, `
# Print what would change:
trainbooking import gtfs feed.zip --url http://booking:8080 --token-file token --capacity 300 --dry-run

# Manifests for the operator:
trainbooking import gtfs feed.zip --capacity 300 --output yaml > trains.yaml

# Manifests for an operator with a class:
trainbooking import gtfs feed.zip --capacity 300 --output yaml --class rail > trains.yaml`},
	"version": {`
With --json, the command also prints the newest schema version that this program
supports for each kind of store.`, `
trainbooking version
trainbooking version --json`},
}
