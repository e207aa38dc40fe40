package page_test

import (
	"bytes"
	"flag"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

var update = flag.Bool("update", false, "write the screenshots in docs/images")

const maxScreenshot = 80_000 // bytes

// The screenshots in the README are of the same trains on the same day, whenever they are taken.
func TestScreenshotsOfTheREADMEAreRendered(t *testing.T) {
	t.Parallel()
	s := serve(t, "--demo=false")
	admin := s.admin()
	trains := addTrains(t, admin)
	train := trains[0]
	for _, passenger := range []struct {
		name  string
		seats []int
	}{{"ben", []int{1, 2, 6, 11, 12, 23}}, {"chris", []int{7, 8, 17, 18, 19, 20, 30}}} {
		c := processtest.SignUp(t, s.URL, passenger.name)
		c.Must(t, http.StatusOK, "POST", "/v1/holds/"+hold(t, c, train, passenger.seats)+"/confirm", nil)
	}
	dora := processtest.SignUp(t, s.URL, "dora")
	hold(t, dora, train, []int{13, 27})
	hold(t, dora, trains[2], []int{1, 2})
	b := s.passenger("asha")
	b.prefer("prefers-color-scheme", "light", "prefers-reduced-motion", "reduce")
	b.resize(960, 600)
	b.visit("/search?from=Delhi&to=Mumbai&date=2036-05-16&passengers=2")
	b.requireScreenshot("search")

	b.resize(360, 720)
	b.visit("/trains/" + train + "?passengers=2&seats=9,10")
	b.await(live)
	b.requireScreenshot("seats")

	hold(t, processtest.LogIn(t, s.URL, "asha", processtest.Password), train, []int{9, 10})
	b.resize(960, 540)
	b.visit("/holds")
	b.setTimeLeft("167.5")
	b.await("document.querySelector('[role=timer]').innerText.includes('2:47')")
	b.requireScreenshot("holds")

	b = open(t, s.URL)
	b.logIn("root")
	b.prefer("prefers-color-scheme", "light")
	b.resize(960, 600)
	b.visit("/admin/trains/" + train)
	b.awaitText("chris")
	b.requireScreenshot("admin")
}

// addTrains adds the trains of a day.
func addTrains(t *testing.T, admin *processtest.Client) (trains []string) {
	t.Helper()
	for _, train := range []struct {
		name             string
		capacity         int
		departs, arrives string
	}{
		{"Rajdhani Express", 40, "16T16:55", "17T08:35"},
		{"Duranto Express", 72, "16T22:40", "17T15:55"},
		{"Tejas Express", 2, "16T15:50", "17T06:10"},
	} {
		var created struct{ ID string }
		unmarshal(t, admin.Must(t, http.StatusCreated, "POST", "/v1/trains", map[string]any{
			"name": train.name, "capacity": train.capacity, "stops": []map[string]any{
				{"station": "Delhi", "departs_at": "2036-05-" + train.departs + ":00+05:30"},
				{"station": "Kota", "departs_at": "2036-05-16T23:30:00+05:30"},
				{"station": "Mumbai", "arrives_at": "2036-05-" + train.arrives + ":00+05:30"},
			},
		}).Body, &created)
		trains = append(trains, created.ID)
	}
	return trains
}

// hold holds seats and returns the id of the hold.
func hold(t *testing.T, c *processtest.Client, train string, seats []int) string {
	t.Helper()
	return c.Must(t, http.StatusCreated, "POST", "/v1/holds", map[string]any{"train_id": train, "seats": seats}).HoldID
}

// requireScreenshot renders what is on the screen, and requires that the file in docs/images has its size. With
// -update it writes that file.
func (b *tab) requireScreenshot(name string) {
	b.t.Helper()
	shot := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "png"}).Data
	require.LessOrEqual(b.t, len(shot), maxScreenshot, name)
	file := filepath.Join("..", "..", "docs", "images", name+".png")
	if *update {
		require.NoError(b.t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(b.t, os.WriteFile(file, shot, 0o644))
	}
	committed, err := os.ReadFile(file)
	require.NoError(b.t, err, "go test ./test/page -run Screenshots -update")
	require.Equal(b.t, size(b.t, committed), size(b.t, shot), name)
}

func size(t *testing.T, image []byte) [2]int {
	t.Helper()
	c, err := png.DecodeConfig(bytes.NewReader(image))
	require.NoError(t, err)
	return [2]int{c.Width, c.Height}
}
