package page_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// setCapacity types a number of seats into the form.
func (b *tab) setCapacity(n string) {
	b.t.Helper()
	b.click("document.querySelector('[name=capacity]')")
	eval[bool](b, "document.querySelector('[name=capacity]').select(), true")
	b.press(n)
}

// deleteWith clicks a button and confirms.
func (b *tab) deleteWith(name string) {
	b.t.Helper()
	b.click(button(name))
	b.click("document.querySelector('dialog[open] .danger')")
}

func TestAdminCreatesChangesAndDeletesTrainsAndSchedules(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.admin()
	b := open(t, s.URL)
	b.logIn("root")

	b.visit("/admin/trains/new")
	b.click("document.querySelector('[name=name]')")
	b.press("Goa Express")
	b.setCapacity("12")
	b.click("document.querySelectorAll('stops-editor input')[0]")
	b.press("Mumbai")
	b.click("[...document.querySelectorAll('stops-editor input')].find(e => e.name.startsWith('stops[1]'))")
	b.press("Goa")
	b.click(button("Create"))
	b.awaitText("Goa Express was created.")
	train := strings.TrimPrefix(b.path(), "/admin")
	b.requireCapacity(admin, train, 12)

	b.visit("/admin" + train + "?show=change")
	b.setCapacity("14")
	b.click(button("Save"))
	b.awaitText("Saved.")
	b.requireCapacity(admin, train, 14)
	b.deleteWith("Delete the train")
	b.awaitText("Goa Express was deleted.")
	admin.Must(t, http.StatusNotFound, "GET", "/v1"+train, nil)

	var departure struct {
		Schedule string `json:"schedule_id"`
	}
	get(t, admin, "/v1/trains/"+s.train("Jaipur", "Mumbai", "Duranto Express"), &departure)
	schedule := "/schedules/" + departure.Schedule
	b.visit("/admin" + schedule + "?show=change")
	b.setCapacity("15")
	b.click(button("Save"))
	b.awaitText("Saved.")
	b.requireCapacity(admin, schedule, 15)
	b.deleteWith("Delete the schedule")
	b.awaitText("Duranto Express was deleted.")
	admin.Must(t, http.StatusNotFound, "GET", "/v1"+schedule, nil)
}

func (b *tab) requireCapacity(admin *processtest.Client, path string, want int) {
	b.t.Helper()
	var got struct{ Capacity int }
	get(b.t, admin, "/v1"+path, &got)
	require.Equal(b.t, want, got.Capacity)
}
