package page_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// Both have asked for the seat when one of them gets it.
func TestTooLateClickOffersAlternativesAndOneKeyTakesOne(t *testing.T) {
	t.Parallel()
	s := serve(t)
	train := s.train("Jaipur", "Mumbai", "Duranto Express")
	asha, ben := s.passenger("asha"), s.passenger("ben")
	for _, b := range []*tab{asha, ben} {
		b.visit("/trains/" + train)
		b.click(seat(5))
	}
	ben.expect("409 (Conflict)")
	ben.pause("/v1/holds")
	ben.click(button("Hold seat 5"))
	ben.release(func() {
		asha.click(button("Hold seat 5"))
		asha.awaitPath("/holds")
		asha.awaitText("Book seat 5")
	})
	ben.awaitText("Seat 5 was taken by someone else")
	ben.await("document.activeElement.dataset.alternative")
	require.Regexp(t, `^button Take seat [46], .*, instead of seat 5$`, ben.focused())
	other := eval[string](ben, "document.activeElement.dataset.alternative")
	ben.press(kb.Enter)
	ben.awaitPath("/holds")
	ben.awaitText("Book seat " + other)
}

func TestLoserSeesItWithoutReloading(t *testing.T) {
	t.Parallel()
	s := serve(t)
	train := s.train("Jaipur", "Mumbai", "Duranto Express")
	ben := s.passenger("ben")
	ben.visit("/trains/" + train)
	ben.await("document.querySelector('.connection.live')")
	ben.mark()
	ben.click(seat(5))
	ben.awaitText("Hold seat 5")

	asha := processtest.SignUp(t, s.URL, "asha")
	held := asha.MustLock(t, http.StatusOK, train, 5)
	ben.awaitSeat(5, "held")
	ben.awaitText("Seat 5 was taken by someone else")
	ben.awaitSaid("Seat 5 was taken by someone else")
	asha.MustConfirm(t, http.StatusOK, held.SeatID)
	ben.awaitSeat(5, "booked")

	ben.tabTo("button Take seat 4, window, instead of seat 5")
	ben.press(kb.Enter)
	ben.awaitFocus("button Hold seat 4")
	ben.press(kb.Enter)
	ben.awaitPath("/holds")
	ben.awaitText("Book seat 4")
	ben.requireSameDocument()
}
