package page_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// service is trainbooking serve with the demo trains.
type service struct {
	*processtest.Server
	t   *testing.T
	dir string // of its data
}

// serve starts the service, and stops it when the test ends.
func serve(t *testing.T, args ...string) *service {
	t.Helper()
	return serveIn(t, t.TempDir(), args...)
}

// serveIn is serve with the data in a directory, where it may have run before.
func serveIn(t *testing.T, dir string, args ...string) *service {
	t.Helper()
	s := processtest.Start(t, append([]string{"--data-dir", dir, "--demo"}, args...)...)
	return &service{Server: s, t: t, dir: dir}
}

// admin creates the admin root.
func (s *service) admin() *processtest.Client {
	s.t.Helper()
	return processtest.CreateAdmin(s.t, s.URL, "--data-dir", s.dir)
}

// tomorrow is the day on which the tests travel. The search form starts with today.
func tomorrow() string { return time.Now().AddDate(0, 0, 1).Format(time.DateOnly) }

// train returns the id of a demo train that runs tomorrow.
func (s *service) train(from, to, name string) string {
	s.t.Helper()
	query := url.Values{"from": {from}, "to": {to}, "date": {tomorrow()}}
	var page struct{ Items []struct{ ID, Name string } }
	get(s.t, processtest.NewClient(s.URL), "/v1/trains?"+query.Encode(), &page)
	for _, train := range page.Items {
		if train.Name == name {
			return train.ID
		}
	}
	require.Failf(s.t, "no such train", "%s in %v", name, page)
	return ""
}

// get reads a resource.
func get(t *testing.T, c *processtest.Client, path string, into any) {
	t.Helper()
	unmarshal(t, c.Must(t, http.StatusOK, "GET", path, nil).Body, into)
}

func unmarshal(t *testing.T, text []byte, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(text, into))
}

// logIn logs a user in on the page.
func (b *tab) logIn(name string) {
	b.t.Helper()
	b.visit("/login")
	b.click("document.getElementById('username')")
	b.press(name + kb.Tab + processtest.Password + kb.Enter)
	b.awaitPath("/")
	b.await("location.pathname === '/'")
}

// seat is the button of a seat on the map.
func seat(n int) string { return "document.querySelector('[data-seat=\"" + strconv.Itoa(n) + "\"]')" }

// button is the button or link with a name.
func button(name string) string {
	return "[...document.querySelectorAll('button, a')]" +
		".find(e => (e.ariaLabel ?? e.innerText).trim() === " + quote(name) + ")"
}

// awaitSeat waits until the map shows a state of a seat: free, held, held by you, booked.
func (b *tab) awaitSeat(n int, state string) {
	b.t.Helper()
	b.await(seat(n) + "?.ariaLabel.endsWith(', " + state + "')")
}

// passenger registers a user and opens a browser in which that user is logged in.
func (s *service) passenger(name string) *tab {
	s.t.Helper()
	processtest.SignUp(s.t, s.URL, name)
	b := open(s.t, s.URL)
	b.logIn(name)
	return b
}
