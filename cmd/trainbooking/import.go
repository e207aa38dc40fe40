package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/spf13/pflag"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/cmd/internal/setting"
	"trainbooking.dev/cmd/trainbooking/importer"
	"trainbooking.dev/config"
	"trainbooking.dev/gtfs"
)

const (
	// importMemory is when an import collects garbage more often, in bytes. A feed of 100 MB needs less.
	importMemory = 200 << 20
	// maxShiftWeeks bounds --shift-weeks: dates of this century stay dates of schedules or before them.
	maxShiftWeeks = 52 * 100
	// importTimeout bounds one request: on a busy service a page of 1,000 schedules may take a while.
	importTimeout = 30 * time.Second
)

// className is the pattern of spec.class of a TrainSchedule.
var className = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

type importGTFS struct {
	Feed           string
	URL            string
	CA             string
	TokenFile      string
	Output, Class  string
	Capacity       int
	CapacitiesFile string
	SoldDaysAhead  int
	RouteTypes     []int
	Agencies       []string
	Routes         []string
	Source         string
	Today          string
	ShiftWeeks     int
	Prune, DryRun  bool
}

// Operand implements operand.
func (c *importGTFS) Operand() (name string, value *string) { return "FEED", &c.Feed }

// AddFlags implements action.
func (c *importGTFS) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&c.URL, "url", "", "`URL` of the service, such as http://booking:8080.")
	f.StringVar(&c.CA, "ca", "", caUsage)
	f.StringVar(&c.TokenFile, "token-file", "", "`FILE` with a token of an admin or a service token.")
	f.StringVarP(&c.Output, "output", "o", "", "`FORMAT` in which to print the trains instead: yaml, for manifests.")
	f.StringVar(&c.Class, "class", "", "`NAME` of the class of the operator that the manifests are for.")
	f.IntVar(&c.Capacity, "capacity", 0, "Number `N` of seats of every train.")
	f.StringVar(&c.CapacitiesFile, "capacities", "", "YAML `FILE` with seats by train, route or route_type.")
	f.IntVar(&c.SoldDaysAhead, "sold-days-ahead", booking.DefaultSoldDaysAhead, "Days `N` ahead that trains are sold.")
	f.IntSliceVar(&c.RouteTypes, "route-type", nil, "Import only this route type `N`; 2 is rail. May be repeated.")
	f.StringArrayVar(&c.Agencies, "agency", nil, "Import only this agency, by id or `NAME`. May be repeated.")
	f.StringArrayVar(&c.Routes, "route", nil, "Import only this route, by id or `NAME`. May be repeated.")
	f.BoolVar(&c.Prune, "prune", false, "End what an earlier import made and the feed no longer has. Bookings stay.")
	f.BoolVar(&c.DryRun, "dry-run", false, "Print what would change, and change nothing.")
	f.StringVar(&c.Source, "source", "", "`NAME` of what is imported. (default the id and name of the agency)")
	f.StringVar(&c.Today, "today", "", "`DATE` before which nothing is imported. (default today in the zone of the feed)")
	f.IntVar(&c.ShiftWeeks, "shift-weeks", 0, "Move the days of the feed by `N` weeks, to try one of the past.")
}

// Run imports the feed, or prints it.
func (c *importGTFS) Run(ctx context.Context, _ *config.Sources, std stdio) error {
	if problems := c.problems(); len(problems) > 0 {
		return usageError{problems}
	}
	options, err := c.options()
	if err != nil {
		return usageError{err}
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 { // no GOMEMLIMIT
		debug.SetMemoryLimit(importMemory)
	}
	progress := &importer.Progress{}
	if std.terminal {
		progress.To = std.err
	}
	table, err := c.read(ctx, std, options, progress)
	if err != nil {
		return err
	}
	if c.Output != "" {
		err = importer.WriteManifests(std.out, table, c.Class)
		return errors.Join(err, importer.PrintReport(std.err, table))
	}
	return c.send(ctx, std, table, progress)
}

func (c *importGTFS) problems() (problems config.Problems) {
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	add(c.Output != "" && c.Output != "yaml", "--output %s is not a format; set it to yaml", c.Output)
	add((c.Output == "") == (c.URL == ""), "set either --url or --output yaml")
	add(c.Output != "" && (c.Prune || c.DryRun), "--prune and --dry-run need a service: set --url")
	add(c.Class != "" && c.Output == "", "--class is for manifests: set --output yaml")
	add(c.Class != "" && !className.MatchString(c.Class),
		"--class %s must be small letters, digits and hyphens, at most 63, with no hyphen at an end", c.Class)
	add(c.URL != "" && c.TokenFile == "", "--url needs --token-file")
	add((c.Capacity == 0) == (c.CapacitiesFile == ""), "set either --capacity or --capacities")
	add(c.Capacity < 0 || c.Capacity > booking.MaxCapacity,
		"--capacity %d is out of range; set it to 1 to %d", c.Capacity, booking.MaxCapacity)
	add(c.SoldDaysAhead < 0 || c.SoldDaysAhead > booking.MaxSoldDaysAhead,
		"--sold-days-ahead %d is out of range; set it to 0 to %d", c.SoldDaysAhead, booking.MaxSoldDaysAhead)
	add(c.ShiftWeeks < -maxShiftWeeks || c.ShiftWeeks > maxShiftWeeks,
		"--shift-weeks %d is out of range; set it to %d to %d", c.ShiftWeeks, -maxShiftWeeks, maxShiftWeeks)
	return problems
}

func (c *importGTFS) options() (o gtfs.Options, err error) {
	o = gtfs.Options{
		Now: time.Now(), Weeks: c.ShiftWeeks, Source: c.Source, SoldDaysAhead: c.SoldDaysAhead,
		Capacities: gtfs.Capacities{Default: c.Capacity},
		Filter:     gtfs.Filter{RouteTypes: c.RouteTypes, Agencies: c.Agencies, Routes: c.Routes},
	}
	o.Whole = c.Prune && !o.Filter.IsZero() // what a filter leaves out does not end
	if c.Today != "" {
		if o.Today, err = booking.ParseDate(c.Today); err != nil {
			return o, fmt.Errorf("--today %w", err)
		}
	}
	if c.CapacitiesFile != "" {
		o.Capacities, err = importer.CapacitiesOf(c.CapacitiesFile)
	}
	return o, err
}

func (c *importGTFS) read(
	ctx context.Context, std stdio, o gtfs.Options, progress *importer.Progress,
) (*gtfs.Timetable, error) {
	feed, closeFeed, err := importer.OpenFeed(c.Feed, std.in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Feed, err)
	}
	defer closeFeed()
	o.Progress = func(read, total int64) { progress.Show("reading", read, total) }
	table, err := gtfs.Read(ctx, feed, o)
	progress.Clear()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Feed, err)
	}
	if table.Report.Trains == 0 {
		err := fmt.Errorf("%s: there is no train to import%s", c.Feed, pastHint(table))
		return nil, errors.Join(importer.PrintReport(std.err, table), err)
	}
	return table, nil
}

// pastHint says what to do about a feed of the past.
func pastHint(table *gtfs.Timetable) string {
	if table.Report.Skipped[gtfs.Ended] == nil {
		return ""
	}
	return fmt.Sprintf(": none runs on %s or later; --shift-weeks moves a feed of the past", table.Today)
}

// send changes the service.
func (c *importGTFS) send(ctx context.Context, std stdio, table *gtfs.Timetable, progress *importer.Progress) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	plan, err := importer.NewPlan(ctx, service, table, importer.Options{Prune: c.Prune})
	if err != nil {
		return err
	}
	if c.DryRun {
		err = plan.Print(std.out)
	} else {
		changes := len(plan.Steps) - plan.Count(importer.Keep)
		err = plan.Apply(ctx, service, table, func(n int) { progress.Show("importing", int64(n), int64(changes)) })
		progress.Clear()
	}
	if err != nil {
		return err
	}
	return errors.Join(importer.PrintReport(std.out, table), plan.PrintSummary(std.out, c.DryRun))
}

func (c *importGTFS) service() (booking.Schedules, error) {
	token, err := setting.Token(c.TokenFile)
	if err != nil {
		return nil, usageError{fmt.Errorf("--token-file: %w", err)}
	}
	o := client.Options{
		URL: c.URL, CAFile: c.CA, UserAgent: "trainbooking-import", Timeout: importTimeout, Token: client.FixedToken(token),
	}
	if o.HTTP, err = newHTTPClient(o); err != nil {
		return nil, err
	}
	return client.New(o)
}
