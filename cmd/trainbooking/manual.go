package main

// description is the page of the program.
const description = `
Trainbooking sells the seats of trains over HTTP. serve runs the service; the
other commands work on its data or send requests to it.

Each flag of serve can also be set by an environment variable, such as
TRAINBOOKING_HOLD_TTL, or by a line of the file of --config, such as
hold-ttl: 5m. A flag takes precedence over a variable, and that over the file.
Other commands read the same settings where they have the same flags.

The exit status is 0 after success, 1 after a failure, 2 if the command line or
a setting is wrong, and 3 if the other processes of a cluster have evicted this
one; start it again then.`

// page is what the help of a command says besides its flags.
type page struct{ description, examples string }

// pages are the pages of the commands by name. The examples are complete command lines.
var pages = map[string]page{
	"": {description, `
trainbooking serve --demo
trainbooking serve --help`},
	"serve": {`
Without --database-url and --redis-url it is one process, with its data in
--data-dir. With both it is one of several, which also need --advertise and
--jwt-secret-file. It stops after SIGTERM or SIGINT.`, `
# One process, with trains to try it on:
trainbooking serve --demo

# One of several:
trainbooking serve --database-url-file database-url --redis-url-file redis-url \
  --jwt-secret-file jwt-secret --advertise 10.0.0.7:8090`},
	"migrate": {`
serve does it at start unless --migrate=false. A migration can be repeated, and
waits for another one that runs.`, `
trainbooking migrate --data-dir /var/lib/trainbooking
trainbooking migrate --database-url-file database-url`},
	"createsuperuser": {`
It asks for the password. It fails if there is a user with that name.`, `
trainbooking createsuperuser --username root --email root@example.org
trainbooking createsuperuser --username root --email root@example.org --password-stdin < password`},
	"set-password": {`
It asks for the password. The user's sessions end.`, `
trainbooking set-password --username asha
trainbooking set-password --username asha --database-url-file database-url --password-stdin < password`},
	"copy": {`
The service must be stopped. With --redis-url, live holds are copied too. It may
be interrupted and run again.`, `
trainbooking copy --data-dir data --database-url-file database-url --redis-url-file redis-url`},
	"backup": {`
If PATH is a directory, the file in it is named after the time. The service may
be running.`, `
trainbooking backup --data-dir data monday.db
trainbooking backup --data-dir data --keep 7 /var/backups`},
	"restore": {`
The service must be stopped.`, `
trainbooking restore --data-dir data monday.db`},
	"healthcheck": {`
It asks /readyz, and fails after five seconds.`, `
trainbooking healthcheck
trainbooking healthcheck --url http://localhost:8081`},
	"smoke": {`
It checks an installation from outside. The user and what it booked remain, with
a service token the train does not.`, `
trainbooking smoke --url http://booking:8080
trainbooking smoke --url http://booking:8080 --service-token-file token --for 10m --clients 8`},
	"import gtfs": {`
FEED is a ZIP file, a directory, or - for standard input. The next edition of a
feed changes only what changed.`, `
# What would change:
trainbooking import gtfs feed.zip --url http://booking:8080 --token-file token --capacity 300 --dry-run

# Manifests for the operator:
trainbooking import gtfs feed.zip --capacity 300 --output yaml > trains.yaml`},
	"version": {`
With --json, it also prints the newest version of the tables in each kind of
store that this program knows.`, `
trainbooking version
trainbooking version --json`},
}
