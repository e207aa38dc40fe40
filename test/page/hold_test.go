package page_test

import (
	"testing"
)

func TestHoldThatExpiresFreesItsSeat(t *testing.T) {
	t.Parallel()
	s := serve(t, "--hold-ttl", "6s")
	path := "/trains/" + s.train("Jaipur", "Mumbai", "Duranto Express")
	other := open(t, s.URL)
	other.visit(path)
	b := s.passenger("asha")
	b.visit(path)
	b.click(seat(7))
	b.click(button("Hold seat 7"))
	b.awaitPath("/holds")
	b.awaitText("Time left")
	other.awaitSeat(7, "held")

	b.awaitText("The hold on seat 7 has ended.")
	b.awaitSaid("The hold on seat 7 has ended.")
	other.awaitSeat(7, "free")
	b.click(button("Choose again"))
	b.awaitPath(path)
	b.awaitSeat(7, "free")
}

func TestTimeLeftIsAnnouncedAtOneMinuteAndAtFifteenSeconds(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.passenger("asha")
	b.visit("/trains/" + s.train("Jaipur", "Mumbai", "Duranto Express"))
	b.click(button("Choose a seat for me"))
	b.awaitPath("/holds")
	b.await("document.querySelector('[role=timer]')?.innerText.includes('2:')")
	b.setTimeLeft("61")
	b.awaitSaid("One minute left to book seat 1.")
	b.setTimeLeft("16")
	b.awaitSaid("15 seconds left to book seat 1.")
}

// setTimeLeft changes the clock of the page so that the hold on the screen ends after some seconds. Between two
// responses of the service, the page measures time by this clock.
func (b *tab) setTimeLeft(seconds string) {
	b.t.Helper()
	eval[bool](b, `(now => {
		const jump = Date.parse(document.querySelector('count-down').until) - now() - `+seconds+` * 1000;
		Date.now = () => now() + jump;
		return true;
	})(Date.now)`)
}
