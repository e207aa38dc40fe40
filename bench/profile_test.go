package bench_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/report"
)

// profiled are the workloads of TestProfile by the names that WORKLOAD has there.
var profiled = map[string]string{
	"search": report.Search20x100, "small": report.Search1x100, "lock": report.On(report.Lock, 32),
	"two": report.On(report.Lock, 2), "confirm": report.On(report.Sale, 32), "four": report.Four, "mix": report.Mix,
	"rush": report.On(report.Rush, 500),
}

// TestProfile writes the processor and allocation profiles of the service during workloads, and prints
// the top ten of both.
func TestProfile(t *testing.T) { //nolint:paralleltest // it measures
	folder := *profiles
	if folder == "" {
		folder = t.TempDir()
	}
	require.NoError(t, os.MkdirAll(folder, 0o755))
	names, server := regexp.MustCompile(*workloads), regexp.MustCompile(*only)
	var chosen []workload
	var short []string
	for _, name := range slices.Sorted(maps.Keys(profiled)) {
		if names.MatchString(name) {
			all := allWorkloads(warmUp + *runTime)
			i := slices.IndexFunc(all, func(w workload) bool { return w.name == profiled[name] })
			all[i].servers = slices.DeleteFunc([]string{report.Embedded, report.Clustered, report.Three}, func(s string) bool { return !server.MatchString(s) })
			chosen, short = append(chosen, all[i]), append(short, name)
		}
	}
	require.NotEmpty(t, chosen, "WORKLOAD=%s is none of %q", *workloads, slices.Sorted(maps.Keys(profiled)))
	b := newBench(t, chosen)
	require.NotEmpty(t, b.servers, "SERVER=%s is none of embedded, clustered and three", *only)
	var files []string
	for i := range chosen {
		b.prepareAll(t, &chosen[i])
		for _, s := range b.servers {
			if !chosen[i].fresh {
				b.run(t, &chosen[i], s, min(warmUp, *runTime))
			}
			files = append(files, b.profile(t, &chosen[i], s, filepath.Join(folder, s.name+"-"+short[i])))
		}
	}
	if *merged != "" {
		mergeProfiles(t, files, *merged)
	}
}

// profile runs a workload while the service, or the first of its processes, records what it does. It
// returns the file of the processor profile.
func (b *bench) profile(t *testing.T, w *workload, s *server, name string) (cpu string) {
	t.Helper()
	kinds := []struct{ path, file, sample string }{
		{"/debug/pprof/profile", name + ".cpu.pprof", "cpu"},
		{"/debug/pprof/allocs", name + ".allocs.pprof", "alloc_space"},
	}
	seconds := max(1, int(runTime.Seconds()))
	done := make(chan error, len(kinds))
	for _, kind := range kinds {
		go func() {
			status, body, err := get(t.Context(), fmt.Sprintf("%s%s?seconds=%d", s.metrics[0], kind.path, seconds), "")
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("%s: %d %s", kind.path, status, body)
			}
			if err == nil {
				err = os.WriteFile(kind.file, body, 0o600)
			}
			done <- err
		}()
	}
	var sample report.Sample
	if w.fresh {
		sample = b.measure(t, w, s, 0)
	} else {
		sample = b.run(t, w, s, max(*runTime, time.Second))
	}
	for range kinds {
		require.NoError(t, <-done)
	}
	t.Logf("%s, %s: %.0f requests/s", w.name, s.name, sample.Rate)
	for _, kind := range kinds {
		top := exec.CommandContext(t.Context(), "go", "tool", "pprof", "-top", "-nodecount=10", "-sample_index="+kind.sample, kind.file)
		out, err := top.CombinedOutput()
		assert.NoError(t, err)
		t.Logf("%s\n%s", kind.file, out)
	}
	return kinds[0].file
}

// mergeProfiles writes the sum of processor profiles, without the names of files on this machine. Go
// compiles with it when it is the file default.pgo beside a command.
func mergeProfiles(t *testing.T, files []string, to string) {
	t.Helper()
	var all []*profile.Profile
	for _, name := range files {
		file, err := os.Open(name)
		require.NoError(t, err)
		p, err := profile.Parse(file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		all = append(all, p)
	}
	sum, err := profile.Merge(all)
	require.NoError(t, err)
	for _, m := range sum.Mapping {
		m.File, m.BuildID = "", ""
	}
	for _, f := range sum.Function {
		f.Filename = ""
	}
	file, err := os.Create(to)
	require.NoError(t, err)
	require.NoError(t, sum.Write(file))
	require.NoError(t, file.Close())
	t.Logf("%s has the sum of %d profiles", to, len(all))
}
