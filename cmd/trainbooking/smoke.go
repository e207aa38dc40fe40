package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"trainbooking.dev/api/client"
	"trainbooking.dev/cmd/internal/setting"
	"trainbooking.dev/cmd/trainbooking/smoke"
	"trainbooking.dev/config"
)

// The bounds of a smoke test, which is not a load test. Its train does not sell out within them.
const (
	maxSmokeClients = 100
	maxSmokeTime    = time.Hour
)

type smokeTest struct {
	URL              string
	CA               string
	ServiceTokenFile string
	For              time.Duration
	Clients          int
	MaxFailures      int
}

// AddFlags implements action.
func (c *smokeTest) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&c.URL, "url", "", "`URL` of the service, such as http://booking:8080.")
	f.StringVar(&c.CA, "ca", "", caUsage)
	f.StringVar(&c.ServiceTokenFile, "service-token-file", "", "`FILE` with a service token, to add a train and delete it afterwards. Without it, a train that is on sale is used.")
	f.DurationVar(&c.For, "for", 0, "`TIME` for which to repeat it, up to 1h, or until SIGTERM. 0s: once.")
	f.IntVar(&c.Clients, "clients", 1, "Number `N` of concurrent passengers.")
	f.IntVar(&c.MaxFailures, "max-failures", 0, "Number `N` of requests that may fail and succeed when repeated.")
}

// Run returns an error if the service broke a promise or too many requests failed.
func (c *smokeTest) Run(ctx context.Context, _ *config.Sources, std stdio) error {
	if problems := c.problems(); len(problems) > 0 {
		return usageError{problems}
	}
	token, err := c.token()
	if err != nil {
		return usageError{fmt.Errorf("--service-token-file: %w", err)}
	}
	sender, err := newHTTPClient(client.Options{URL: c.URL, CAFile: c.CA})
	if err != nil {
		return err
	}
	report, err := smoke.Run(ctx, smoke.Options{
		URL: c.URL, HTTP: sender, ServiceToken: token, Clients: c.Clients, For: c.For,
	})
	if failed := report.Failed(); err == nil && failed > c.MaxFailures {
		err = fmt.Errorf("%d requests failed, and --max-failures is %d", failed, c.MaxFailures)
	}
	return errors.Join(err, report.Print(std.out))
}

// token returns the service token, "" without a file.
func (c *smokeTest) token() (string, error) {
	if c.ServiceTokenFile == "" {
		return "", nil
	}
	return setting.Token(c.ServiceTokenFile)
}

func (c *smokeTest) problems() (problems config.Problems) {
	if c.Clients < 1 || c.Clients > maxSmokeClients {
		problems = append(problems, fmt.Sprintf("--clients %d is out of range; set it to 1 to %d", c.Clients, maxSmokeClients))
	}
	if c.For < 0 || c.For > maxSmokeTime {
		problems = append(problems, fmt.Sprintf("--for %s is out of range; set it to 0s to %s", c.For, maxSmokeTime))
	}
	if c.MaxFailures < 0 {
		problems = append(problems, fmt.Sprintf("--max-failures %d is negative", c.MaxFailures))
	}
	return problems
}
