package page_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
	"trainbooking.dev/web"
)

// axe checks the whole document, once it has settled, and returns the violations of WCAG.
const axe = `(async () => {
	for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
	const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
	const { violations } = await axe.run({ runOnly: tags, resultTypes: ['violations'], preload: false });
	return violations.flatMap(({ help, nodes }) => nodes.map(({ html, failureSummary }) => help + ': ' + html + ' ' + failureSummary));
})()`

// loadAxe returns the source of axe-core.
func loadAxe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../../web/node_modules/axe-core/axe.min.js")
	require.NoError(t, err, "the tests need axe-core, which is not installed: make web-tool")
	return string(source)
}

// look is a view in a state that is checked.
type look struct {
	path    string
	prepare func(b *tab) // nil: nothing
}

func TestViewsOfPassengersFulfilWCAG(t *testing.T) {
	t.Parallel()
	s := serve(t)
	train := s.train("Jaipur", "Mumbai", "Duranto Express")
	b := s.passenger("asha")
	asha := processtest.LogIn(t, s.URL, "asha", processtest.Password)
	booking := asha.MustConfirm(t, http.StatusOK, asha.MustLock(t, http.StatusOK, train, 1).SeatID).BookingID
	asha.MustLock(t, http.StatusOK, train, 2)
	looks := []look{
		{"/", nil},
		{"/?from=Jaipur", func(b *tab) {
			b.click("document.getElementById('to')")
			b.press("m")
			b.await("document.querySelector('[role=option]')?.offsetParent")
		}},
		{"/search?from=Jaipur&to=Mumbai&date=" + tomorrow(), nil},
		{"/search?from=Jaipur&to=Oslo", nil},
		{"/trains/" + train + "?passengers=2&seats=3,5", nil},
		{"/trains/" + train + "?seats=1,3", func(b *tab) { b.awaitText("Seat 1 was taken by someone else") }},
		{"/holds", nil},
		{"/bookings", nil},
		{"/bookings/" + booking, nil},
		{"/bookings/" + booking, func(b *tab) {
			b.click(button("Cancel seat 1"))
			b.await("document.querySelector('dialog[open]')")
		}},
		{"/account", nil},
		{"/login", func(b *tab) { b.click(button("Log in")) }},
		{"/register", nil},
		{"/trains/" + strings.Repeat("0", 8), nil},
	}
	b.expect("404 (Not Found)")
	b.expect("400 (Bad Request)")
	requireEveryPath(t, looks, false)
	b.requireAccessible(looks)
}

func TestViewsOfAdminsFulfilWCAG(t *testing.T) {
	t.Parallel()
	s := serve(t)
	admin := s.admin()
	train := s.train("Jaipur", "Mumbai", "Duranto Express")
	admin.MustConfirm(t, http.StatusOK, admin.MustLock(t, http.StatusOK, train, 1).SeatID)
	admin.MustLock(t, http.StatusOK, train, 2)
	var departure struct {
		Schedule string `json:"schedule_id"`
	}
	get(t, admin, "/v1/trains/"+train, &departure)
	var me struct{ ID string }
	get(t, admin, "/v1/users/me", &me)
	b := open(t, s.URL)
	b.logIn("root")
	looks := []look{
		{"/admin/trains", nil},
		{"/admin/trains/new", nil},
		{"/admin/trains/" + train, nil},
		{"/admin/trains/" + train + "?show=change", nil},
		{"/admin/schedules", nil},
		{"/admin/schedules/new", nil},
		{"/admin/schedules/" + departure.Schedule, nil},
		{"/admin/users", nil},
		{"/admin/users/" + me.ID, nil},
	}
	requireEveryPath(t, looks, true)
	b.requireAccessible(looks)
}

// requireEveryPath requires a look for each path of the page, of admins or of others.
func requireEveryPath(t *testing.T, looks []look, admins bool) {
	t.Helper()
	for _, path := range web.Paths {
		if strings.HasPrefix(path, "/admin/") != admins || strings.HasSuffix(path, "*") {
			continue
		}
		begin, parameter := strings.CutSuffix(path, "{id}")
		require.True(t, slices.ContainsFunc(looks, func(l look) bool {
			shown, _, _ := strings.Cut(l.path, "?")
			return shown == path || parameter && strings.HasPrefix(shown, begin) && shown != begin+"new"
		}), "no look of %s", path)
	}
}

// requireAccessible checks views in both colour schemes and three widths.
func (b *tab) requireAccessible(looks []look) {
	b.t.Helper()
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: loadAxe(b.t)})
	for _, look := range looks {
		b.visit(look.path)
		if look.prepare != nil {
			look.prepare(b)
		}
		for _, scheme := range []string{"light", "dark"} {
			// Without motion, colours change at once.
			b.prefer("prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
			for _, width := range []int64{320, 768, 1920} {
				b.resize(width, 900)
				require.Empty(b.t, eval[[]string](b, axe), "%s, %s, %d pixels", look.path, scheme, width)
				needed := eval[int64](b, "document.documentElement.scrollWidth")
				require.LessOrEqual(b.t, needed, width, "%s scrolls sideways", look.path)
			}
		}
	}
}
