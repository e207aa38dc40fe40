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

// startLoad starts a Job that books seats of its own train for that time, and waits until its pod
// runs. At most maxFailures requests may fail and succeed when repeated.
func (r *release) startLoad(name string, lasting time.Duration, maxFailures int) *load {
	r.t.Helper()
	l := r.startJob(name, "--for", lasting.String(), "--clients", "4", "--max-failures", fmt.Sprint(maxFailures),
		"--service-token-file", "/run/trainbooking/token")
	r.kubectl("wait", "job", name, "--for", "jsonpath={.status.ready}=1", "--timeout", timeout.String())
	return l
}

// startJob starts a Job of trainbooking smoke, through the Service, with additional args.
func (r *release) startJob(name string, args ...string) *load {
	r.t.Helper()
	all, err := json.Marshal(append([]string{"smoke", "--url", r.url()}, args...))
	require.NoError(r.t, err)
	r.apply("create", manifests(r.t, "load.yaml", map[string]string{
		"NAME": name, "IMAGE": *image, "ARGS": string(all), "TOKEN_SECRET": booking + "-trainbooking-service-token",
	}))
	return &load{r: r, name: name}
}

// requireRunning fails the test if the Job has ended, because there was no load then.
func (l *load) requireRunning() {
	l.r.t.Helper()
	require.Equal(l.r.t, "1", l.r.kubectl("get", "job", l.name, "-o", "jsonpath={.status.active}"), "%s ended too early:\n%s", l.name, l.log())
}

// requireSucceeded waits until the Job has ended and fails the test if it has failed.
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
