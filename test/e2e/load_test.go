//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// load is a Job of trainbooking smoke.
type load struct {
	r    *release
	name string
}

// underLoad runs f while a Job books seats on a train of its own. At most maxFailures requests
// may fail; the Job retries them.
func (r *release) underLoad(name string, maxFailures int, f func()) {
	r.t.Helper()
	l := r.startJob(name, "--for", (10 * time.Minute).String(), "--clients", "4", "--max-failures", fmt.Sprint(maxFailures),
		"--service-token-file", "/run/trainbooking/token")
	r.kubectl("wait", "job", name, "--for", "jsonpath={.status.ready}=1", "--timeout", timeout.String())
	f()
	pod := r.kubectl("get", "pods", "--selector", "job-name="+name, "--field-selector", "status.phase=Running",
		"-o", "jsonpath={.items[*].metadata.name}")
	require.NotEmpty(r.t, pod, "%s ended too early:\n%s", name, l.log())
	r.signal(pod, "TERM")
	l.requireSucceeded()
}

// startJob starts a Job of trainbooking smoke, through the Service, with additional args.
func (r *release) startJob(name string, args ...string) *load {
	r.t.Helper()
	all, err := json.Marshal(append([]string{"smoke", "--url", r.url()}, args...))
	require.NoError(r.t, err)
	r.apply("create", manifests(r.t, "load.yaml", map[string]string{
		"NAME": name, "IMAGE": *image, "ARGS": string(all), "TOKEN_SECRET": r.fullname() + "-service-token",
	}))
	return &load{r: r, name: name}
}

// requireSucceeded waits until the Job ends, requires that it succeeded, and deletes it.
func (l *load) requireSucceeded() {
	l.r.t.Helper()
	var done string
	require.Eventually(l.r.t, func() bool {
		done = l.r.kubectl("get", "job", l.name, "-o", "jsonpath={.status.succeeded}/{.status.failed}")
		return done != "/"
	}, timeout+2*time.Minute, time.Second)
	report := l.log()
	require.Equal(l.r.t, "1/", done, "%s:\n%s", l.name, report)
	l.r.t.Logf("%s:\n%s", l.name, report)
	l.r.kubectl("delete", "job", l.name, "--wait")
}

func (l *load) log() string {
	l.r.t.Helper()
	return strings.TrimSpace(l.r.kubectl("logs", "job/"+l.name))
}
