// Package wrk runs wrk, the load generator, and reads what its scripts print.
package wrk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// timeout is after which wrk counts a request as failed. The service replies within 5 s.
const timeout = "6s"

// Load is a run of wrk. It keeps each connection busy with one request after another.
type Load struct {
	Folder, Script string // of the scripts, and the file in it
	URL            string // of the server
	Connections    int
	Time           time.Duration
	Arguments      map[string]any // of the script
}

// Summary is what wrk and its script have counted. Only answered requests are in Requests.
type Summary struct {
	Requests, Bytes float64
	Time            time.Duration // how long it really took
	P50, P99        time.Duration
	// Failed has the kinds of errors of which there were any: connect, read, write, timeout, and
	// status, replies above 399, which may be what the script expects.
	Failed map[string]float64
	// Unexpected are the first replies that the scripts did not expect, for people.
	Unexpected string
	// Values are the script's own.
	Values map[string]float64
	// CPU is what wrk itself has used.
	CPU time.Duration
}

// Run runs wrk until its time is over or the script ends it. A script that fails is an error.
func Run(ctx context.Context, l Load) (Summary, error) {
	args := []string{
		"--threads", "1", "--connections", strconv.Itoa(l.Connections), "--timeout", timeout,
		"--duration", fmt.Sprintf("%ds", int(math.Ceil(l.Time.Seconds()))), "--script", l.Script, l.URL, "--",
	}
	for name, value := range l.Arguments {
		args = append(args, fmt.Sprintf("%s=%v", name, value))
	}
	command := exec.CommandContext(ctx, "wrk", args...) //nolint:gosec // the harness's own arguments
	command.Dir = l.Folder
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		return Summary{}, err
	}
	// wrk takes whole seconds. An interrupt ends it in order, and is ignored if it has ended.
	end := time.AfterFunc(l.Time, func() { _ = command.Process.Signal(syscall.SIGINT) })
	defer end.Stop()
	if err := command.Wait(); err != nil {
		return Summary{}, fmt.Errorf("wrk: %w\n%s", err, &out)
	}
	s, err := Parse(out.String())
	s.CPU = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return s, err
}

// ErrNoSummary is the error of Parse for the output of a run that has failed.
var ErrNoSummary = errors.New("no line of a summary")

// Parse reads the output of wrk, in which the function done of requests.lua has printed a line.
func Parse(output string) (Summary, error) {
	s := Summary{Failed: map[string]float64{}, Values: map[string]float64{}}
	line := ""
	for l := range strings.Lines(output) {
		if after, found := strings.CutPrefix(l, "summary "); found {
			line = after
		}
		if after, found := strings.CutPrefix(l, "unexpected"); found {
			s.Unexpected += strings.TrimSpace(after) + "\n"
		}
	}
	if line == "" {
		return s, fmt.Errorf("%w in:\n%s", ErrNoSummary, output)
	}
	for _, field := range strings.Fields(line) {
		name, text, _ := strings.Cut(field, "=")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return s, fmt.Errorf("%s in the summary: %w", field, err)
		}
		s.set(name, value)
	}
	if s.Time <= 0 {
		return s, fmt.Errorf("%w with a time: %s", ErrNoSummary, line)
	}
	return s, nil
}

func (s *Summary) set(name string, value float64) {
	duration := time.Duration(value * float64(time.Microsecond))
	switch name {
	case "requests":
		s.Requests = value
	case "bytes":
		s.Bytes = value
	case "microseconds":
		s.Time = duration
	case "p50":
		s.P50 = duration
	case "p99":
		s.P99 = duration
	case "connect", "read", "write", "status", "timeout":
		if value != 0 {
			s.Failed[name] = value
		}
	default:
		s.Values[name] = value
	}
}

// Merge returns the sum of runs that took place at the same time. P50 is the mean over their requests,
// P99 and Time are the largest. The values of scripts are added up too.
func Merge(runs []Summary) Summary {
	sum := Summary{Failed: map[string]float64{}, Values: map[string]float64{}}
	weighted := 0.0
	for i := range runs {
		r := &runs[i]
		sum.Requests += r.Requests
		sum.Bytes += r.Bytes
		sum.CPU += r.CPU
		sum.Unexpected += r.Unexpected
		sum.Time, sum.P99 = max(sum.Time, r.Time), max(sum.P99, r.P99)
		weighted += float64(r.P50) * r.Requests
		for name, n := range r.Failed {
			sum.Failed[name] += n
		}
		for name, n := range r.Values {
			sum.Values[name] += n
		}
	}
	if sum.Requests > 0 {
		sum.P50 = time.Duration(weighted / sum.Requests)
	}
	return sum
}
