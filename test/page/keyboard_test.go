package page_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"trainbooking.dev/test/processtest"
)

func TestNewUserBooksASeatWithTheKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := open(t, s.URL)
	b.visit("/")
	for _, station := range []struct{ field, typed, name string }{{"From", "jai", "Jaipur"}, {"To", "mum", "Mumbai"}} {
		b.tabTo("combobox " + station.field)
		b.press(station.typed)
		b.await("document.querySelector('[role=option]')?.offsetParent")
		b.press(kb.ArrowDown + kb.Enter)
		b.await("document.activeElement.value === " + quote(station.name))
	}
	b.press(kb.Enter)
	b.awaitPath("/search?from=Jaipur&to=Mumbai")
	b.awaitFocus("heading Jaipur to Mumbai")
	b.tabTo("link Next day")
	b.press(kb.Enter)
	b.awaitPath("/search?from=Jaipur&to=Mumbai&date=" + tomorrow())

	b.tabTo("link Duranto Express")
	b.press(kb.Enter)
	b.awaitPath("/trains/")
	b.awaitFocus("heading Duranto Express")
	b.tabTo("button Seat 1, window, free")
	for _, step := range []struct{ key, seat string }{
		{kb.ArrowRight, "2, aisle"},
		{kb.End, "4, window"},
		{kb.ArrowDown, "8, window"},
		{kb.Home, "5, window"},
		{kb.ArrowUp, "1, window"},
		{kb.ArrowLeft, "1, window"},
		{kb.ArrowDown, "5, window"},
		{kb.ArrowRight, "6, aisle"},
	} {
		b.press(step.key)
		b.awaitFocus("button Seat " + step.seat + ", free")
	}
	b.press(kb.Enter)
	b.await(seat(6) + ".ariaPressed === 'true'")
	b.awaitFocus("button Seat 6, aisle, free")
	b.tabTo("button Hold seat 6")
	b.press(kb.Enter)

	b.awaitPath("/login?")
	b.tabTo("link Register")
	b.press(kb.Enter)
	b.awaitPath("/register?")
	b.tabTo("textbox Username")
	b.press("asha" + kb.Tab + "asha@example.org" + kb.Tab + processtest.Password + kb.Tab + processtest.Password + kb.Enter)
	b.awaitPath("/trains/")
	b.tabTo("button Hold seat 6") // the choice was kept
	b.press(kb.Enter)
	b.awaitPath("/holds")
	b.tabTo("button Book seat 6")
	b.press(kb.Enter)
	b.awaitPath("/bookings/")
	b.awaitText("Seat 6 booked.")
}
