//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// load is a Job of passengers who book while something happens to the service.
type load struct {
	r    *release
	name string
}

// startLoad lets passengers book for that time on a train of their own, and waits until
// they do. No more requests than maxFailures may fail; each of them is sent again.
func (r *release) startLoad(name string, lasting time.Duration, maxFailures int) *load {
	r.t.Helper()
	l := r.startJob(name, "--for", lasting.String(), "--clients", "4", "--max-failures", fmt.Sprint(maxFailures),
		"--service-token-file", "/run/trainbooking/token")
	r.kubectl("wait", "job", name, "--for", "jsonpath={.status.ready}=1", "--timeout", timeout.String())
	return l
}

// startJob starts trainbooking smoke with the args, through the Service.
func (r *release) startJob(name string, args ...string) *load {
	r.t.Helper()
	all, err := json.Marshal(append([]string{"smoke", "--url", r.url()}, args...))
	require.NoError(r.t, err)
	r.apply("create", manifests(r.t, "load.yaml", map[string]string{
		"NAME": name, "IMAGE": *image, "ARGS": string(all), "TOKEN_SECRET": booking + "-trainbooking-service-token",
	}))
	return &load{r: r, name: name}
}

// requireGoesOn fails the test if the passengers are done: then what happened since did not
// happen under load.
func (l *load) requireGoesOn() {
	l.r.t.Helper()
	require.Equal(l.r.t, "1", l.r.kubectl("get", "job", l.name, "-o", "jsonpath={.status.active}"), "%s ended too early:\n%s", l.name, l.log())
}

// requireGood waits until the passengers are done and fails the test if they complain.
func (l *load) requireGood() {
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
