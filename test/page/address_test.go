package page_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// The cookie is Secure, which Chromium allows on this machine without TLS, by name and by address.
func TestReloadKeepsLoginSearchAndSeats(t *testing.T) {
	t.Parallel()
	s := serve(t)
	processtest.SignUp(t, s.URL, "asha")
	for _, base := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)} {
		b := open(t, base)
		b.logIn("asha")
		b.click("document.getElementById('from')")
		b.press("Jaipur" + kb.Tab + kb.Tab + "Mumbai" + kb.Tab)
		b.awaitPath("/?from=Jaipur&to=Mumbai")
		b.reload()
		require.Equal(t, "Jaipur", eval[string](b, "document.getElementById('from').value"))
		require.Equal(t, "Mumbai", eval[string](b, "document.getElementById('to').value"))

		b.visit("/trains/" + s.train("Jaipur", "Mumbai", "Duranto Express") + "?from=Jaipur&to=Mumbai")
		b.click(seat(3))
		b.click(seat(2))
		b.awaitText("Hold seats 2, 3")
		b.reload()
		b.awaitText("Hold seats 2, 3")
		require.Equal(t, "true", eval[string](b, seat(3)+".ariaPressed"))
		b.await(button("My bookings"))
		require.Equal(t, "Jaipur", eval[string](b, "document.querySelector('.journey .station').innerText"))
	}
}

func TestBackAndForwardReturnToWhatWasShown(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := open(t, s.URL)
	b.visit("/?from=Jaipur&to=Mumbai&date=" + tomorrow())
	b.click(button("Find trains"))
	b.awaitPath("/search")
	results := b.path()
	b.click(button("Duranto Express"))
	b.awaitPath("/trains/")
	b.click(seat(9))
	b.awaitText("Hold seat 9")

	eval[bool](b, "history.back(), true")
	b.awaitPath(results)
	b.awaitFocus("heading Jaipur to Mumbai")
	eval[bool](b, "history.back(), true")
	b.awaitPath("/?from=Jaipur&to=Mumbai")
	b.await("document.getElementById('to').value === 'Mumbai'")
	eval[bool](b, "history.go(2), true")
	b.awaitPath("/trains/")
	b.awaitText("Hold seat 9")
	b.await(seat(9) + ".ariaPressed === 'true'")
}

func TestDeepLinkIsShownAfterLoggingIn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	asha := processtest.SignUp(t, s.URL, "asha")
	locked := asha.MustLock(t, 200, s.train("Jaipur", "Mumbai", "Duranto Express"), 6)
	booked := asha.MustConfirm(t, 200, locked.SeatID)
	b := open(t, s.URL)
	b.visit("/bookings/" + booked.BookingID)
	b.awaitPath("/login?next=")
	b.click("document.getElementById('username')")
	b.press("asha" + kb.Tab + processtest.Password + kb.Enter)
	b.awaitPath("/bookings/" + booked.BookingID)
	b.awaitText("Booking on Duranto Express")

	b.visit("/admin/trains")
	b.awaitText("This page is for admins.")
	b.visit("/account")
	b.click(button("Log out"))
	b.awaitText("You are logged out.")
	b.reload()
	b.await(button("Log in"))
	b.visit("/bookings")
	b.awaitPath("/login?next=")
}
