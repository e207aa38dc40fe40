package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	loadEach  = 4                     // clients of each user, at once
	loadPause = 40 * time.Millisecond // on average, after each turn of a client
	// settleTime is how long a client asks again for an answer that it did not get.
	settleTime = 20 * time.Second
)

// load is clients who lock, confirm, release and cancel seats, and what they were told.
// Each keeps to seats of its own among those of its user, so that it alone knows what
// the user has of them.
type load struct {
	c      *cluster
	users  []*client
	trains []string
	seats  int // of each train
	stop   chan struct{}
	ended  sync.WaitGroup

	mu       sync.Mutex
	answered int
	slowest  time.Duration // of those
	booked   int           // acknowledged, cancelled or not
	failures []failure
	lost     []failure       // holds that were acknowledged and were not there
	wrong    []failure       // answers that no fault explains
	ours     map[string]sale // live bookings that were acknowledged, by id
	doubtful map[place]bool  // seats of which a client could not learn what became of its request
}

// failure is an answer that should not be, or none.
type failure struct {
	sent, at time.Time
	what     string
}

func (f failure) String() string {
	return fmt.Sprintf("%s after %s: %s", f.at.Format("05.000"), f.at.Sub(f.sent).Round(time.Millisecond), f.what)
}

// place is a seat of a train.
type place struct {
	train string
	seat  int
}

// sale is a booking.
type sale struct {
	place
	user string
}

// startLoad lets users ask for the seats of trains until finish.
func startLoad(c *cluster, users []*client, trains []string, seats int) *load {
	l := &load{
		c: c, users: users, trains: trains, seats: seats, stop: make(chan struct{}),
		ours: map[string]sale{}, doubtful: map[place]bool{},
	}
	for _, user := range users {
		for share := range loadEach {
			l.ended.Go(func() { l.run(user, share) })
		}
	}
	c.t.Cleanup(l.end)
	return l
}

// end stops the clients, each after its turn.
func (l *load) end() {
	l.mu.Lock()
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.mu.Unlock()
	l.ended.Wait()
}

func (l *load) run(user *client, share int) {
	for l.pause(rand.N(2 * loadPause)) {
		seat := rand.IntN(l.seats/loadEach)*loadEach + share + 1
		l.turn(user, place{l.trains[rand.IntN(len(l.trains))], seat})
	}
}

// pause waits and reports whether the load goes on.
func (l *load) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-l.stop:
		return false
	}
}

// turn takes a seat, if it is free, and gives it back or keeps it.
func (l *load) turn(user *client, at place) {
	lock := l.ask(user, "POST", "/train/book-ticket/", object{"train_id": at.train, "seat_number": at.seat}, 200, 409, 429)
	if lock == nil || lock.Status != http.StatusOK {
		return
	}
	hold := object{"seat_id": lock.SeatID, "hold_id": lock.HoldID}
	if rand.IntN(5) == 0 {
		if release, again := l.insist(user, at, "POST", "/train/release-seat/", hold, 200, 409); !again {
			l.missed(at, "release", release) // else the first one may have done it
		}
		return
	}
	confirm, _ := l.insist(user, at, "POST", "/train/confirm-booking/", hold, 200, 409)
	if confirm == nil || l.missed(at, "confirm", confirm) {
		return
	}
	l.mu.Lock()
	l.booked++
	l.ours[confirm.BookingID] = sale{at, user.Name}
	l.mu.Unlock()
	if rand.IntN(3) != 0 {
		return
	}
	if cancel, _ := l.insist(user, at, "DELETE", "/v1/bookings/"+confirm.BookingID, nil, 204); cancel != nil {
		l.mu.Lock()
		delete(l.ours, confirm.BookingID)
		l.mu.Unlock()
	}
}

// missed notes a hold that was not there any more.
func (l *load) missed(at place, what string, r *reply) bool {
	if r == nil || r.Status != http.StatusConflict {
		return false
	}
	l.note(&l.lost, time.Now(), fmt.Sprintf("%s of seat %d of %s: %s", what, at.seat, at.train, r))
	return true
}

// insist asks until it is answered: after 503 the same request is safe to send again. It
// reports whether it asked more than once.
func (l *load) insist(user *client, at place, method, path string, body any, want ...int) (r *reply, again bool) {
	for begun := time.Now(); time.Since(begun) < settleTime; again = true {
		if r := l.ask(user, method, path, body, want...); r != nil {
			return r, again
		}
		<-time.After(5 * pollTime)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubtful[at] = true
	return nil, true
}

// ask sends a request and writes down how it failed, if it did. It returns the answer
// if it is one of those that may be.
func (l *load) ask(user *client, method, path string, body any, want ...int) *reply {
	sent := time.Now()
	r, err := user.Send(method, path, body)
	switch {
	case err != nil:
		l.note(&l.failures, sent, fmt.Sprintf("%s %s: %v", method, path, err))
	case r.Status >= 500:
		l.note(&l.failures, sent, fmt.Sprintf("%s %s %v: %s", method, path, body, r))
	case !slices.Contains(want, r.Status):
		l.note(&l.wrong, sent, fmt.Sprintf("%s %s %v: %s", method, path, body, r))
	default:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answered++
		l.slowest = max(l.slowest, time.Since(sent))
		return r
	}
	return nil
}

func (l *load) note(list *[]failure, sent time.Time, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, failure{sent, time.Now(), what})
}

// sales returns how many bookings were acknowledged so far.
func (l *load) sales() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.booked
}

// failed returns the failures so far.
func (l *load) failed() []failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.failures)
}

// lostHolds returns the holds so far that were lost.
func (l *load) lostHolds() []failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lost)
}

// awaitSales waits until so many more bookings were acknowledged.
func (l *load) awaitSales(t *testing.T, more int) {
	t.Helper()
	before := l.sales()
	await(t, patience, func() bool { return l.sales() >= before+more }, "so many sales")
}

// requireNone fails the test if there is one, and shows the first of them.
func requireNone(t *testing.T, failures []failure, what string) {
	t.Helper()
	require.Empty(t, failures[:min(5, len(failures))], "%d %s", len(failures), what)
}

// requireRecovered waits until nothing fails any more and fails the test if that takes
// longer than it may after a fault that healed at a time.
func (l *load) requireRecovered(t *testing.T, healed time.Time) {
	t.Helper()
	const quiet = 3 * time.Second
	before := l.sales()
	latest := func() time.Time {
		if failures := l.failed(); len(failures) > 0 {
			return failures[len(failures)-1].at
		}
		return time.Time{}
	}
	for time.Since(latest()) < quiet || time.Since(healed) < quiet {
		require.Less(t, time.Since(healed), recovery+quiet, "there are still failures: %v", l.last())
		<-time.After(pollTime)
	}
	require.Less(t, latest().Sub(healed), recovery, "%v", l.last())
	require.Greater(t, l.sales(), before, "nothing is sold")
	t.Logf("the last failure came %s after it healed", max(0, latest().Sub(healed)).Round(10*time.Millisecond))
}

// last are the failures that came last.
func (l *load) last() []failure {
	failures := l.failed()
	return failures[max(0, len(failures)-5):]
}

// finish ends the load and compares what the service shows with what it acknowledged, to
// the load and to others on the same trains.
func (l *load) finish(t *testing.T, others map[string]sale) {
	t.Helper()
	l.end()
	t.Logf("%d requests were answered, the slowest in %s, %d failed; %d bookings were made, %d holds lost, %d seats are in doubt",
		l.answered, l.slowest.Round(time.Millisecond), len(l.failures), l.booked, len(l.lost), len(l.doubtful))
	t.Logf("lost: %v", l.lost[:min(5, len(l.lost))])
	requireNone(t, l.wrong, "answers must not be")
	require.NotZero(t, l.booked)

	found := map[string]sale{}
	for _, train := range l.trains {
		l.c.addBookings(found, train)
	}
	requireNoSeatTwice(t, found)
	for id, s := range l.ours {
		if !l.doubtful[s.place] {
			require.Equal(t, s, found[id], "booking %s was acknowledged", id)
		}
	}
	for id, s := range found {
		if !l.doubtful[s.place] {
			require.True(t, l.ours[id] == s || others[id] == s, "%v was cancelled, or never asked for", s)
		}
	}
	for _, user := range l.users {
		l.requireShown(t, user, found)
	}
}

// requireShown compares what a user sees with the bookings that there are.
func (l *load) requireShown(t *testing.T, user *client, found map[string]sale) {
	t.Helper()
	var want, shown []place
	for _, s := range found {
		if s.user == user.Name {
			want = append(want, s.place)
		}
	}
	for _, b := range user.Booked(t) {
		if slices.Contains(l.trains, b.Train) {
			shown = append(shown, place{b.Train, b.Seat})
		}
	}
	require.ElementsMatch(t, want, shown, "the bookings that %s sees", user.Name)
}

func requireNoSeatTwice(t *testing.T, found map[string]sale) {
	t.Helper()
	taken := map[place]sale{}
	for _, s := range found {
		require.NotContains(t, taken, s.place, "sold to %s and %s", s.user, taken[s.place].user)
		taken[s.place] = s
	}
}
