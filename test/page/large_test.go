package page_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
)

func TestLargestTrainRendersOnlyVisibleSeats(t *testing.T) {
	t.Parallel()
	s := serve(t)
	train := s.admin().AddTrain(t, booking.MaxCapacity)
	b := open(t, s.URL)
	b.visit("/trains/" + train)
	b.awaitText("20,000 free")
	requireFewButtons := func() {
		t.Helper()
		b.await("document.querySelectorAll('[data-seat]').length < 200")
		require.Equal(t, 1, eval[int](b, "document.querySelectorAll('[data-seat][tabindex=\"0\"]').length"), "one in the tab order")
	}
	requireFewButtons()
	b.tabTo("button Seat 1, window, free")
	b.pressWith(chromedp.ModifierCtrl, kb.End)
	b.awaitFocus("button Seat 20000, window, free")
	requireFewButtons()
	b.press(kb.PageUp + kb.ArrowDown)
	requireFewButtons()
	b.pressWith(chromedp.ModifierCtrl, kb.End)
	b.press(kb.ArrowLeft)
	b.awaitFocus("button Seat 19999, aisle, free")

	// Somebody else takes it.
	asha := processtest.SignUp(t, s.URL, "asha")
	asha.MustLock(t, http.StatusOK, train, 19_999)
	b.awaitFocus("button Seat 19999, aisle, held")
	b.press(kb.Enter)
	b.awaitSaid("Seat 19999, aisle, held")

	// The seat with the focus stays in the document when it is not visible.
	eval[bool](b, "(document.querySelector('.seat-scroll').scrollTop = 0, true)")
	b.await(seat(1))
	requireFewButtons()
	require.Equal(t, "button Seat 19999, aisle, held", b.focused())
	b.pressWith(chromedp.ModifierCtrl, kb.Home)
	b.awaitFocus("button Seat 1, window, free")
	require.InDelta(t, 0, eval[float64](b, "document.querySelector('.seat-scroll').scrollTop"), 60)
}
