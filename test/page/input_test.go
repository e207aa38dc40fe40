package page_test

import (
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// click clicks at an element, with the mouse.
func (b *tab) click(element string) {
	b.t.Helper()
	b.await(element)
	at := eval[[2]float64](b, `(element => {
		element.scrollIntoView({ block: 'center' });
		const { x, y, width, height } = element.getBoundingClientRect();
		return [x + width / 2, y + height / 2];
	})(`+element+`)`)
	run(b, chromedp.MouseClickXY(at[0], at[1]))
}

// press presses keys one after another, which are characters or from package kb.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.pressWith(0, keys)
}

// pressWith presses keys while a modifier is held down.
func (b *tab) pressWith(modifier chromedp.Modifier, keys string) {
	b.t.Helper()
	for _, key := range keys {
		events := kb.Encode(key)
		down, up := *events[0], *events[len(events)-1]
		down.Modifiers, up.Modifiers = int64(modifier), int64(modifier)
		// Pressing a key enters its character too, unless the page prevents that.
		if len(events) > 2 && modifier == 0 {
			down.Text = events[1].Text
		}
		call(b, input.DispatchKeyEvent, down)
		call(b, input.DispatchKeyEvent, up)
	}
}

// focused returns the role and the name of the element with the focus, as a screen reader says them.
func (b *tab) focused() string {
	b.t.Helper()
	element := run(b, chromedp.Evaluate[*runtime.RemoteObject]("document.activeElement"))
	none := false
	nodes := call(b, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{
		ObjectID: element.ObjectID, FetchRelatives: &none,
	}).Nodes
	require.NotEmpty(b.t, nodes)
	if nodes[0].Role == nil || nodes[0].Name == nil {
		return ""
	}
	var role, name string
	require.NoError(b.t, json.Unmarshal(nodes[0].Role.Value, &role))
	require.NoError(b.t, json.Unmarshal(nodes[0].Name.Value, &name))
	return role + " " + name
}

// awaitFocus waits until an element has the focus, given by its role and name.
func (b *tab) awaitFocus(want string) {
	b.t.Helper()
	deadline := time.Now().Add(timeout)
	for b.focused() != want {
		require.Less(b.t, time.Now(), deadline, "the focus is on %q and not on %q", b.focused(), want)
		<-time.After(pollTime)
	}
}

// tabTo presses Tab until an element has the focus, given by its role and name.
func (b *tab) tabTo(want string) {
	b.t.Helper()
	const most = 60
	var passed []string
	for range most {
		b.press(kb.Tab)
		if passed = append(passed, b.focused()); passed[len(passed)-1] == want {
			return
		}
	}
	require.Failf(b.t, "Tab did not reach the element", "%s; it led to %q", want, passed)
}
