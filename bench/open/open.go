// Package open sends requests at a constant rate, whether or not those before have been answered, as
// people do: an open loop. wrk waits for replies, so while a server stands still it sends nothing, and
// counts few of those who would have waited.
package open

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	// timeout is after which a request has failed, as with wrk.
	timeout = 6 * time.Second
	// connections is how many are kept: more than are ever in use, or else there would be new ones.
	connections = 10_000
	idHeader    = "X-Request-Id"
)

// Request is what is sent: a JSON body for the owner of a token.
type Request struct {
	URL, Token string
	Body       string
}

// Run posts n requests, the i-th of them i times the interval after the first. It returns how long each
// took, counted from that time, and an error if one was not answered with a success. The servers
// repeat the X-Request-Id of a request.
func Run(ctx context.Context, n int, every time.Duration, request func(i int) Request) ([]time.Duration, error) {
	var next atomic.Int64
	target := func(t *vegeta.Target) error {
		i := int(next.Add(1)) - 1
		r := request(i)
		t.Method, t.URL, t.Body = http.MethodPost, r.URL, []byte(r.Body)
		t.Header = http.Header{
			"Content-Type": {"application/json"}, "Authorization": {"Bearer " + r.Token}, idHeader: {strconv.Itoa(i)},
		}
		return nil
	}
	attacker := vegeta.NewAttacker(vegeta.Timeout(timeout), vegeta.Connections(connections), vegeta.HTTP2(false))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	s := &schedule{every: every, n: uint64(n)} //nolint:gosec // it is not negative
	latencies := make([]time.Duration, n)
	answered := 0
	var failed error
	for result := range attacker.Attack(target, s, 0, "") { // the loop must receive all results
		i, err := strconv.Atoi(result.Headers.Get(idHeader))
		if result.Error != "" || err != nil || i < 0 || i >= n {
			if failed == nil {
				failed = fmt.Errorf("%s, request %d: %s %s", result.URL, i, result.Error, result.Body)
			}
			attacker.Stop()
			continue
		}
		// vegeta's latency counts from when it began to send, which may be late.
		latencies[i] = result.End().Sub(s.began.Add(time.Duration(i) * every))
		answered++
	}
	if failed == nil && answered < n {
		failed = fmt.Errorf("only %d of %d requests were sent: %w", answered, n, context.Cause(ctx))
	}
	return latencies, failed
}

// schedule is when requests are to be sent.
type schedule struct {
	every time.Duration
	n     uint64
	began time.Time
}

// Pace implements vegeta.Pacer. Attack calls it from one goroutine, for the first time before it sends
// anything.
func (s *schedule) Pace(elapsed time.Duration, sent uint64) (wait time.Duration, stop bool) {
	if sent == 0 {
		s.began = time.Now().Add(-elapsed)
	}
	return time.Duration(sent)*s.every - elapsed, sent == s.n //nolint:gosec // at most n
}

// Rate implements vegeta.Pacer.
func (s *schedule) Rate(time.Duration) float64 { return float64(time.Second) / float64(s.every) }
