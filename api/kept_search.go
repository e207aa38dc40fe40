package api

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// maxKept bounds the searches that are kept, in bytes.
	maxKept = 16 << 20
	// maxKeptSearch bounds each of them. What makes a longer one expensive is to copy and write it, and that
	// is not saved.
	maxKeptSearch = 96 << 10
	// keptTime is how long searches are kept. They are current for no longer (booking.Found).
	keptTime = time.Second
)

// keptSearches are the responses to recent searches, by their query strings. Most searches are repetitions: of a
// popular route, much more is read than sold. When they take maxKept bytes, no others are kept until all have
// had their time: replacing some by others would only cost memory that has to be collected. Safe for concurrent
// use.
type keptSearches struct {
	mu    sync.RWMutex
	since time.Time // when none was kept
	all   map[string]keptSearch
	bytes int
}

type keptSearch struct {
	body    []byte
	current func() bool
}

func (k *keptSearches) find(query string) (keptSearch, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	kept, found := k.all[query]
	return kept, found
}

// keep keeps a copy of the body for as long as it is current, if there is room for it.
func (k *keptSearches) keep(query string, body []byte, current func() bool) {
	if len(query)+len(body) > maxKeptSearch {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); now.Sub(k.since) >= keptTime {
		k.since, k.all, k.bytes = now, map[string]keptSearch{}, 0
	}
	const rest = 512 // with the counters of some trains
	bytes := k.bytes + len(query) + len(body) + rest
	if before, found := k.all[query]; found {
		bytes -= len(query) + len(before.body) + rest
	}
	if bytes <= maxKept {
		k.bytes, k.all[query] = bytes, keptSearch{slices.Clone(body), current}
	}
}

// keptResponse returns the response to an earlier search with the same query string, if it is still what a new
// search would find.
func (s *Server) keptResponse(query string) (response, bool) {
	kept, found := s.searches.find(query)
	if !found || !kept.current() {
		return response{}, false
	}
	return response{status: http.StatusOK, body: kept.body}, true
}
