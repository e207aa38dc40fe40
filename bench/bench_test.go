package bench_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/report"
)

// bench is a comparison that is running.
type bench struct {
	dir                            string // of files that the scripts read and write
	lua                            string // the folder of the scripts
	peer                           string // the program
	secretFile                     string
	serviceToken, serviceTokenFile string
	users                          []uuid.UUID
	tokens                         []string
	tokensFile                     string
	files                          int
	servers                        []*server
	disturbed                      float64 // the largest share of the processors that others took from TestGrowth
}

func TestBench(t *testing.T) { //nolint:paralleltest // it measures
	_, err := exec.LookPath("wrk")
	require.NoError(t, err, "the bench needs wrk: sudo apt-get install -y wrk")
	chosen := chosenWorkloads(t)
	began := time.Now()
	b := newBench(t, chosen)
	t.Logf("the servers took %s to start", time.Since(began).Round(time.Second))
	r := &report.Report{Started: began.UTC(), Command: command(), Machine: machine(t)}
	for _, s := range b.servers {
		if s.settings != "" {
			r.Settings = append(r.Settings, s.name+": "+s.settings)
		}
	}
	t.Cleanup(func() { // what was measured before a failure is printed too
		r.Took = time.Since(began)
		t.Logf("\n%s\n\n%s\n%s\n%s\n%s", strings.Join(append(append([]string{r.Command}, r.Machine...), r.Settings...), "\n"),
			r.Table(), r.Targets(), r.Railway(), r.Took.Round(time.Second))
	})
	for i := range chosen {
		b.compare(t, &chosen[i], r)
	}
	if *results != "" {
		r.Took = time.Since(began)
		text, err := json.MarshalIndent(r, "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(*results, append(text, '\n'), 0o644))
	}
}

// command returns what repeats this comparison.
func command() string {
	return fmt.Sprintf("make bench ROUNDS=%d TIME=%s WORKLOAD='%s' SERVER='%s'", *rounds, *runTime, *workloads, *only)
}

func chosenWorkloads(t *testing.T) []workload {
	t.Helper()
	name, server := regexp.MustCompile(*workloads), regexp.MustCompile(*only)
	chosen := slices.DeleteFunc(allWorkloads(*runTime*time.Duration(*rounds)+warmUp), func(w workload) bool {
		return !name.MatchString(w.name)
	})
	require.NotEmpty(t, chosen, "no workload has a name that matches %s", *workloads)
	for i := range chosen {
		chosen[i].servers = slices.DeleteFunc(slices.Clone(chosen[i].servers), func(s string) bool {
			return !server.MatchString(s)
		})
	}
	return chosen
}

// newBench starts every server that the workloads need.
func newBench(t *testing.T, chosen []workload) *bench {
	t.Helper()
	lua, err := filepath.Abs("bench/lua")
	require.NoError(t, err)
	b := &bench{dir: t.TempDir(), lua: lua, serviceToken: uuid.NewString()}
	b.peer = filepath.Join(b.dir, "peer")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "bench", "-buildvcs=false", "-o", b.peer, "./peer").CombinedOutput()
	require.NoError(t, err, "%s", out)
	secret := uuid.NewString() + uuid.NewString()
	b.secretFile, b.serviceTokenFile = b.file(t, secret+"\n"), b.file(t, b.serviceToken+"\n")
	for range users {
		user := uuid.New()
		b.users, b.tokens = append(b.users, user), append(b.tokens, sign(t, secret, user))
	}
	b.tokensFile = b.file(t, strings.Join(b.tokens, "\n")+"\n")
	for _, name := range report.Servers {
		if slices.ContainsFunc(chosen, func(w workload) bool { return slices.Contains(w.servers, name) }) {
			b.servers = append(b.servers, b.startServer(t, name))
		}
	}
	return b
}

// compare runs one workload, round by round on each server.
func (b *bench) compare(t *testing.T, w *workload, r *report.Report) {
	t.Helper()
	if !w.fresh {
		began := time.Now()
		b.prepareAll(t, w)
		t.Logf("%s: the trains took %s to create", w.name, time.Since(began).Round(time.Second))
	}
	for round := range *rounds {
		for _, s := range b.servers {
			if !slices.Contains(w.servers, s.name) {
				continue
			}
			// A run that fails is not in the table, and the others go on.
			t.Run(fmt.Sprintf("%s/%s/%d", w.name, s.name, round+1), func(t *testing.T) {
				r.Add(w.name, s.name, b.measure(t, w, s, round))
			})
		}
	}
}

func (b *bench) measure(t *testing.T, w *workload, s *server, round int) report.Sample {
	t.Helper()
	switch {
	case w.script == "rush.lua":
		return b.rush(t, w, s, round)
	case w.fresh:
		s.fixtures[w.name] = b.prepare(t, s, fmt.Sprintf("%s, round %d", w.name, round), w.trains)
	case round == 0:
		b.run(t, w, s, min(warmUp, *runTime))
	}
	return b.run(t, w, s, *runTime)
}

// prepareAll creates the trains of a workload on all servers, and requires that a search finds the
// same on all of them.
func (b *bench) prepareAll(t *testing.T, w *workload) {
	t.Helper()
	var size int
	var trains map[string]any
	var limited *server
	for _, s := range b.servers {
		if !slices.Contains(w.servers, s.name) {
			continue
		}
		s.fixtures[w.name] = b.prepare(t, s, w.name, w.trains)
		switch {
		case s.name == report.Limit:
			limited = s
		case s.name != report.PeerB && (w.script == "search.lua" || w.searches > 0):
			status, body, err := get(t.Context(), s.urls[0]+searchPath(w.name, 0), "")
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status, "%s: %s", s.name, body)
			found := foundTrains(t, body)
			require.True(t, trains == nil || reflect.DeepEqual(trains, found), "a search on %s finds something else: %.500s", s.name, body)
			size, trains = len(body), found
		}
	}
	if limited != nil && (w.script == "search.lua" || w.searches > 0) {
		require.NotZero(t, size, "the limit needs another server to learn the size of a search")
		b.staticPaths(t, limited.fixtures[w.name], size)
	}
}

// foundTrains returns the reply to a search by train id. They were created several at a time, so their
// order is not the same on each server.
func foundTrains(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var list []map[string]any
	require.NoError(t, json.Unmarshal(body, &list))
	trains := map[string]any{}
	for _, train := range list {
		trains[fmt.Sprint(train["train_id"])] = train
	}
	return trains
}
