package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

const (
	timeout  = processtest.Timeout
	pollTime = 20 * time.Millisecond
)

// tab is a browser of its own with one page.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string // the origin of the service

	paused chan fetch.RequestID // requests that wait: see pause

	mu       sync.Mutex
	problems []string
	expected []string // parts of the texts of problems that are expected
	observed int
}

// open opens a browser for the service at base. When the test ends, it fails if the page did something
// forbidden (see observe).
func open(t *testing.T, base string) *tab {
	t.Helper()
	parent, err := chromium()
	require.NoError(t, err)
	b := &tab{t: t, base: base, paused: make(chan fetch.RequestID, 1)}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.observe))
	b.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			b.describe()
		}
		b.requireNoProblems()
		cancel()
	})
	require.NoError(t, chromedp.Do(ctx)) // without a timeout, which would end the page
	// Each page behaves as if it had the focus, so that several can be used at once.
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	b.resize(1280, 800)
	return b
}

// expect allows problems whose text contains part, such as a request that fails by design.
func (b *tab) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

// observe records what a page must not do. What a policy blocks is in Chromium's log.
func (b *tab) observe(event any) {
	if b.t.Context().Err() != nil {
		return // the test has ended, and the service is killed
	}
	problem := ""
	switch e := event.(type) {
	case *fetch.EventRequestPaused:
		b.paused <- e.RequestID
	case *network.EventRequestWillBeSent:
		// Chromium loads the icons of fields from data URLs.
		if !strings.HasPrefix(e.Request.URL, b.base+"/") && !strings.HasPrefix(e.Request.URL, "data:image/svg+xml;") {
			problem = "request to " + e.Request.URL
		}
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			problem += " " + thrown.Description
		}
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]string{"error", "warning", "assert"}, string(e.Type)) {
			problem = "console:"
			for _, argument := range e.Args {
				problem += " " + argument.Description + string(argument.Value)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			problem = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observed++
	if problem != "" {
		b.problems = append(b.problems, problem)
	}
}

func (b *tab) requireNoProblems() {
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.NotZero(b.t, b.observed, "nothing was observed")
	for _, problem := range b.problems {
		if !slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(problem, part) }) {
			assert.Fail(b.t, "the page did something forbidden", problem)
		}
	}
}

// describe logs what is on the screen.
func (b *tab) describe() {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + '\n' + document.body.innerText`))
	b.t.Logf("on the screen: %s (%v)", text, err)
}

// pause holds back requests to a path from now on, until release.
func (b *tab) pause(path string) {
	b.t.Helper()
	call(b, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: b.base + path}}})
}

// release waits for a paused request, and releases it after meanwhile.
func (b *tab) release(meanwhile func()) {
	b.t.Helper()
	select {
	case id := <-b.paused:
		meanwhile()
		call(b, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: id})
		call(b, fetch.Disable, cdp.Empty{})
	case <-time.After(timeout):
		require.Fail(b.t, "no request was paused")
	}
}

// run runs an action within the timeout.
func run[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	require.NoError(b.t, err)
	return result
}

// call sends a command of the DevTools protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	return run(b, func(ctx context.Context, target *chromedp.Target) (R, error) {
		return cdp.Call(ctx, target, command, params)
	})
}

// eval returns the value of an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// await waits until a condition is true in the page, which may load another document meanwhile.
func (b *tab) await(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, timeout)
	defer cancel()
	for {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && is {
			return
		}
		select {
		case <-time.After(pollTime):
		case <-ctx.Done():
			require.Failf(b.t, "the condition did not become true", "%s (%v)", condition, err)
		}
	}
}

// awaitText waits until a text is on the screen.
func (b *tab) awaitText(text string) {
	b.t.Helper()
	b.await("document.body?.innerText.includes(" + quote(text) + ")")
}

// awaitSaid waits until a screen reader says a text.
func (b *tab) awaitSaid(text string) {
	b.t.Helper()
	b.await("document.querySelector('[role=status]')?.textContent.includes(" + quote(text) + ")")
}

// visit loads a path of the service and waits until its view is there.
func (b *tab) visit(path string) {
	b.t.Helper()
	run(b, chromedp.Navigate(b.base+path))
	b.awaitView()
}

// awaitView waits until a view shows what it loads.
func (b *tab) awaitView() {
	b.t.Helper()
	b.await("document.querySelector('main h1') && !document.querySelector('main .loading')")
}

// reload loads the page again.
func (b *tab) reload() {
	b.t.Helper()
	run(b, chromedp.Reload())
	b.awaitView()
}

// mark marks the document, for requireSameDocument.
func (b *tab) mark() {
	b.t.Helper()
	eval[bool](b, "window.marked = true")
}

// requireSameDocument requires that the page was not loaded again since mark.
func (b *tab) requireSameDocument() {
	b.t.Helper()
	require.True(b.t, eval[bool](b, "window.marked === true"), "the page was loaded again")
}

// path is the path of the page's address, with the query.
func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, "location.pathname + location.search")
}

// awaitPath waits until the path of the address begins with a text.
func (b *tab) awaitPath(begin string) {
	b.t.Helper()
	b.await("(location.pathname + location.search).startsWith(" + quote(begin) + ")")
	b.awaitView()
}

// resize changes the size of the window.
func (b *tab) resize(width, height int64) {
	b.t.Helper()
	run(b, chromedp.EmulateViewport(width, height))
}

// prefer emulates what somebody has chosen: features and values, such as prefers-color-scheme and dark.
func (b *tab) prefer(features ...string) {
	b.t.Helper()
	var media []*emulation.MediaFeature
	for chosen := range slices.Chunk(features, 2) {
		media = append(media, &emulation.MediaFeature{Name: chosen[0], Value: chosen[1]})
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: media})
}

// quote returns a JavaScript string.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can be marshalled
	}
	return string(quoted)
}
