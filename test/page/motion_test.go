package page_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// moving counts the elements that CSS would move, or scroll smoothly.
const moving = `[...document.querySelectorAll('*')].filter(e => ['', '::before', '::after'].some(part => {
	const style = getComputedStyle(e, part);
	return style.transitionDuration.split(', ').some(time => parseFloat(time) > 0) || style.animationName !== 'none' ||
		style.scrollBehavior === 'smooth';
})).length`

func TestNothingMovesForThoseWhoPreferThat(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.passenger("asha")
	train := "/trains/" + s.train("Jaipur", "Mumbai", "Duranto Express")
	for _, path := range []string{"/", train, "/holds", "/account"} {
		b.prefer("prefers-reduced-motion", "no-preference")
		b.visit(path)
		require.NotZero(t, eval[int](b, moving), "otherwise this test would prove nothing")
		b.prefer("prefers-reduced-motion", "reduce")
		require.Zero(t, eval[int](b, moving), path)
	}
	b.visit(train)
	b.click(seat(1))
	b.click(button("Hold seat 1"))
	b.awaitPath("/holds")
	require.Zero(t, eval[int](b, "document.getAnimations().length"))
}
