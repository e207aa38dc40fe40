//go:build e2e

package e2e_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/kube/tools"
	"trainbooking.dev/test/processtest"
)

// sellSchedules applies the manifests of an imported feed, books departures, changes the schedules under these
// bookings and deletes them with both policies.
func (r *release) sellSchedules() {
	r.t.Helper()
	dir, err := filepath.Abs("testdata/feed")
	require.NoError(r.t, err)
	imported := processtest.RunToEnd(r.t, processtest.Command(r.t, "import", "gtfs", dir,
		"--capacity", "100", "--source", "e2e", "-o", "yaml"))
	require.Zero(r.t, imported.Code, imported.Err)
	r.apply("apply", imported.Out)
	r.awaitSchedules("condition=Ready")
	cancels := r.kubectl("get", "trainschedules", "--selector", feed, "-o", `jsonpath={.items[?(@.spec.name=="Duronto 12267")].metadata.name}`)
	r.kubectl("patch", "trainschedule", cancels, "--type", "merge", "-p", `{"spec": {"deletionPolicy": "Cancel"}}`)
	p := processtest.SignUp(r.t, "http://"+r.forward(), "passenger")
	date := time.Now().UTC().AddDate(0, 0, 7).Format(time.DateOnly)
	retained, cancelled := r.bookDeparture(p, "New Delhi", "Surat", date), r.bookDeparture(p, "Surat", "Rajkot", date)

	// There is no service on the day with sales any more, and there are fewer seats.
	for _, name := range strings.Fields(r.kubectl("get", "trainschedules", "--selector", feed, "-o", "name")) {
		r.kubectl("patch", name, "--type", "merge", "-p",
			`{"spec": {"capacity": 50, "exceptions": [{"date": "`+date+`", "runs": false}]}}`)
	}
	r.awaitSchedules("jsonpath={.status.diverged.count}=1")
	require.Equal(r.t, "True True", r.kubectl("get", "trainschedules", "--selector", feed,
		"-o", `jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}`))
	r.t.Log(r.kubectl("get", "trainschedules", "-o", "wide"))
	require.Contains(r.t, retained.get().String(), `"state":"confirmed"`)
	require.Contains(r.t, cancelled.get().String(), `"state":"confirmed"`)
	require.Empty(r.t, r.departures(p, "New Delhi", "Surat", date), "it is not sold any more")

	r.kubectl("delete", "trainschedules", "--selector", feed, "--timeout", timeout.String())
	require.Contains(r.t, retained.get().String(), `"state":"confirmed"`, "deletionPolicy Retain")
	require.Contains(r.t, cancelled.get().String(), `"cancelled_by":"train"`, "deletionPolicy Cancel")
	p.Must(r.t, http.StatusNoContent, "DELETE", "/v1/bookings/"+retained.id, nil)
}

// feed selects the schedules of the feed.
const feed = "trainbooking.dev/feed=e2e"

func (r *release) awaitSchedules(condition string) {
	r.t.Helper()
	r.kubectl("wait", "trainschedules", "--selector", feed, "--for", condition, "--timeout", timeout.String())
}

// bookedSeat is a booking of a passenger.
type bookedSeat struct {
	r  *release
	p  *processtest.Client
	id string
}

func (b bookedSeat) get() *processtest.Response {
	b.r.t.Helper()
	return b.p.Must(b.r.t, http.StatusOK, "GET", "/v1/bookings/"+b.id, nil)
}

// bookDeparture finds the only departure on a date and books a seat on it.
func (r *release) bookDeparture(p *processtest.Client, from, to, date string) bookedSeat {
	r.t.Helper()
	found := r.departures(p, from, to, date)
	require.Len(r.t, found, 1)
	seat := p.MustLock(r.t, http.StatusOK, found[0], 77).SeatID
	return bookedSeat{r: r, p: p, id: p.MustConfirm(r.t, http.StatusOK, seat).BookingID}
}

// departures returns the ids of the trains that a passenger finds.
func (r *release) departures(p *processtest.Client, from, to, date string) (ids []string) {
	r.t.Helper()
	query := url.Values{"source": {from}, "destination": {to}, "date": {date}}
	var found []struct {
		ID string `json:"train_id"`
	}
	body := p.Must(r.t, http.StatusOK, "GET", "/train/get-trains/?"+query.Encode(), nil).Body
	require.NoError(r.t, json.Unmarshal(body, &found), "%s", body)
	for _, train := range found {
		ids = append(ids, train.ID)
	}
	return ids
}

// forward forwards a local port to the Service until the test ends, and returns its address.
func (r *release) forward() string {
	r.t.Helper()
	command := tools.Command(r.t, os.Getenv("KUBECONFIG"), "kubectl", "--namespace", r.namespace,
		"port-forward", "service/"+r.fullname(), ":8080")
	out, err := command.StdoutPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, command.Start())
	r.t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended
		_ = command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(r.t, err)
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
	require.NotEmpty(r.t, address, line)
	return address
}
