package page_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// gate is a proxy in front of a service, which can refuse streams and delay a map of the seats.
type gate struct {
	*httptest.Server
	service  http.Handler
	refuses  atomic.Bool
	delays   atomic.Bool // the next map
	answered chan bool   // gets a value when the service has answered with the map that is delayed
	deliver  chan bool   // ends the delay
}

func newGate(t *testing.T, s *service) *gate {
	t.Helper()
	to, err := url.Parse(s.URL)
	require.NoError(t, err)
	g := &gate{service: httputil.NewSingleHostReverseProxy(to), answered: make(chan bool, 1), deliver: make(chan bool, 1)}
	g.Server = httptest.NewServer(g)
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch resource := path.Base(r.URL.Path); {
	case resource == "events" && g.refuses.Load():
		panic(http.ErrAbortHandler)
	case resource == "seats" && g.delays.CompareAndSwap(true, false):
		answer := httptest.NewRecorder()
		g.service.ServeHTTP(answer, r)
		g.answered <- true
		<-g.deliver
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the page may have gone
	default:
		g.service.ServeHTTP(w, r)
	}
}

func TestPageThatMissedNothingIsLiveAgain(t *testing.T) {
	t.Parallel()
	s := serve(t)
	g := newGate(t, s)
	train := s.train("Jaipur", "Mumbai", "Duranto Express")
	b := open(t, g.URL)
	b.visit("/trains/" + train)
	b.await(live)
	b.expect(broken)
	g.CloseClientConnections()
	b.await("!" + live)
	b.await(live)
}

func TestOldMapDoesNotReplaceThatOfTheStream(t *testing.T) {
	t.Parallel()
	s := serve(t)
	g := newGate(t, s)
	train := s.train("Jaipur", "Mumbai", "Duranto Express")
	asha := processtest.SignUp(t, s.URL, "asha")
	b := open(t, g.URL)
	b.visit("/trains/" + train)
	b.await(live)

	// The page reads the map after a late click.
	g.delays.Store(true)
	eval[bool](b, "document.querySelector('train-view').live.read().then(() => { window.wasRead = true; }), true")
	<-g.answered
	asha.MustLock(t, http.StatusOK, train, 3)
	b.awaitSeat(3, "held")
	g.deliver <- true
	b.await("window.wasRead")
	b.awaitSeat(3, "held")

	// It polls while there is no stream.
	b.expect(broken)
	g.refuses.Store(true)
	g.CloseClientConnections()
	b.await("document.querySelector('.connection.polling')")
	asha.MustLock(t, http.StatusOK, train, 4)
	b.awaitSeat(4, "held")
	g.delays.Store(true)
	<-g.answered
	asha.MustLock(t, http.StatusOK, train, 5)
	g.refuses.Store(false)
	b.await(live)
	b.awaitSeat(5, "held")
	g.deliver <- true
	asha.MustLock(t, http.StatusOK, train, 6)
	b.awaitSeat(6, "held")
	for n := 3; n <= 6; n++ {
		assert.Contains(t, eval[string](b, seat(n)+".ariaLabel"), "held")
	}
}
