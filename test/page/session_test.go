package page_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// refuse answers requests of the page with an error if a condition of their url and options holds.
func (b *tab) refuse(condition, status, code string) {
	b.t.Helper()
	eval[bool](b, `(fetch => {
		window.fetch = (url, options) => `+condition+`
			? Promise.resolve(Response.json({ status: `+status+`, code: '`+code+`' },
				{ status: `+status+`, headers: { 'Content-Type': 'application/problem+json' } }))
			: fetch(url, options);
		return true;
	})(window.fetch)`)
}

// logInElsewhere logs a user in as another tab of this browser does.
func (b *tab) logInElsewhere(name string) {
	b.t.Helper()
	require.Equal(b.t, 200.0, eval[float64](b, `fetch('/user/login/', {
		method: 'POST', headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ username: '`+name+`', password: `+quote(processtest.Password)+`, cookie: true }),
	}).then(response => response.status)`))
}

func TestRequestIsNotRepeatedForTheUserOfAnotherTab(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ben := processtest.SignUp(t, s.URL, "ben")
	b := s.passenger("asha")
	b.visit("/trains/" + s.train("Jaipur", "Mumbai", "Duranto Express"))
	b.click(seat(5))
	b.await(button("Account"))
	b.logInElsewhere("ben")
	// The access token of asha expires.
	b.refuse("(window.expired ??= options.headers?.Authorization) && options.headers?.Authorization === window.expired",
		"401", "unauthenticated")
	b.click(button("Hold seat 5"))
	b.await("localStorage.getItem('trainbooking-signed-in') !== " +
		"JSON.parse(atob(window.expired.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).user_id")
	b.click(button("Account"))
	b.awaitText("ben@")
	var holds struct{ Items []struct{} }
	get(t, ben, "/v1/holds", &holds)
	require.Empty(t, holds.Items)
}

func TestOtherTabsShowTheLastUserToLogIn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	processtest.SignUp(t, s.URL, "ben")
	b := s.passenger("asha")
	b.click(button("Account"))
	b.awaitText("asha@")
	b.logInElsewhere("ben")
	eval[bool](b, "dispatchEvent(new StorageEvent('storage', { key: 'trainbooking-signed-in', newValue: 'x' }))")
	b.awaitText("ben@")
}

func TestLogoutThatFailsIsNotHidden(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.passenger("asha")
	b.click(button("Account"))
	b.awaitPath("/account")
	b.mark()
	b.refuse("!window.works && url === '/user/logout/'", "503", "unavailable")
	b.click(button("Log out"))
	b.awaitText("The service is busy.")
	b.await(button("Account"))

	// The access token may have expired.
	eval[bool](b, "window.works = true")
	b.refuse("options.headers?.Authorization", "401", "unauthenticated")
	b.click(button("Log out"))
	b.awaitText("You are logged out.")
	b.requireSameDocument()
	b.reload()
	b.await(button("Log in"))
	require.Equal(t, 401.0, eval[float64](b, "fetch('/user/token/refresh/', { method: 'POST' }).then(r => r.status)"))
	b.expect("401 (Unauthorized)")
}

func TestAfterLoggingInThePageStaysOnItsSite(t *testing.T) {
	t.Parallel()
	s := serve(t)
	processtest.SignUp(t, s.URL, "asha")
	b := open(t, s.URL)
	for next, path := range map[string]string{
		"/.//evil.example": "/evil.example", "//evil.example/": "/", "/%5Cevil.example/": "/", "https://evil.example/": "/",
		"/search?from=A": "/search?from=A", "http://[": "/",
	} {
		b.visit("/login?next=" + strings.ReplaceAll(next, "?", "%3F"))
		b.click("document.getElementById('username')")
		b.press("asha" + kb.Tab + processtest.Password + kb.Enter)
		b.await("location.pathname + location.search === " + quote(path))
		b.await(button("Account"))
	}
}
