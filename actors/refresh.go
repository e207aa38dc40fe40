package actors

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

const (
	// refreshInterval is how often a process reads what it was not told of.
	refreshInterval = 5 * time.Second
	// trainsPerPage bounds the trains that are read at a time.
	trainsPerPage = 2000
)

// refreshes reads what has changed in the catalogue or in a peer, one read at a time. Those who ask during a read
// share the next one, because what they ask for may be newer than the read. Safe for concurrent use.
type refreshes struct {
	read func() error

	mu      sync.Mutex
	next    *refresh // not begun; nil if nobody has asked
	running bool
	done    sync.WaitGroup
}

type refresh struct {
	done chan struct{} // closed when err is set
	err  error
}

// wait returns when every change that was made before the call is known.
func (r *refreshes) wait(ctx context.Context) error {
	own := r.begin()
	select {
	case <-own.done:
		return own.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin begins a read after the one that is running.
func (r *refreshes) begin() *refresh {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &refresh{done: make(chan struct{})}
	}
	if !r.running {
		r.running = true
		r.done.Go(r.run)
	}
	return r.next
}

func (r *refreshes) run() {
	for own := r.take(); own != nil; own = r.take() {
		own.err = r.read()
		close(own.done)
	}
}

func (r *refreshes) take() *refresh {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := r.next
	r.next, r.running = nil, own != nil
	return own
}

// refreshCatalogue reads what has changed in the store, and everything the first time. If the store
// has forgotten revisions, it was restored from a backup, and everything is read again.
func (s *System) refreshCatalogue() error {
	s.catalogue.expire(time.Now())
	revision, err := within(s, s.store.Revision)
	if err != nil {
		return err
	}
	switch seen := s.catalogue.seen(); {
	case seen == nothingSeen:
		return s.loadCatalogue(revision)
	case revision < seen:
		s.log.Warn("the store has lost changes of trains; the catalogue is read again")
		return s.loadCatalogue(revision)
	}
	if revision == s.catalogue.seen() {
		return nil
	}
	if err := s.refreshSchedules(); err != nil {
		return err
	}
	if err := s.refreshTrains(); err != nil {
		return err
	}
	s.catalogue.reached(revision)
	return nil
}

// refreshTrains applies the changes of trains after the revision that the catalogue has reached. Some may
// be later than the revision that is reached then, and are applied again by the next refresh.
func (s *System) refreshTrains() error {
	return readChanges(s, s.store.ChangedTrains, func(change persistence.ChangedTrain) int64 {
		s.catalogue.apply(change, time.Now())
		return change.Revision
	})
}

// refreshSchedules is refreshTrains for schedules.
func (s *System) refreshSchedules() error {
	return readChanges(s, s.store.ChangedSchedules, func(stored persistence.StoredSchedule) int64 {
		s.catalogue.applySchedule(stored, time.Now())
		return stored.Revision
	})
}

// readChanges reads pages of changes until the last, and applies each, which returns its revision.
func readChanges[T any](
	s *System, read func(context.Context, int64, int) ([]T, error), apply func(T) int64,
) error {
	for after := s.catalogue.seen(); ; {
		changes, err := within(s, func(ctx context.Context) ([]T, error) { return read(ctx, after, trainsPerPage) })
		if err != nil {
			return err
		}
		for _, change := range changes {
			after = apply(change)
		}
		if len(changes) < trainsPerPage {
			return nil
		}
	}
}

// loadCatalogue reads all schedules and trains that are not retired, several pages of trains at a time. What
// has changed since the revision, which was read before, is read again by the next refresh.
func (s *System) loadCatalogue(revision int64) error {
	read, pages := newCatalogue(), trainPages{next: booking.Cursor{At: time.Now()}}
	read.revision = revision
	if err := s.loadSchedules(read); err != nil {
		return err
	}
	var mu sync.Mutex // of read
	var readers errgroup.Group
	for range min(maxReads, runtime.GOMAXPROCS(0)) {
		readers.Go(func() error {
			for {
				trains, last, err := pages.read(s)
				if err != nil || last {
					return err
				}
				mu.Lock()
				read.add(trains)
				mu.Unlock()
			}
		})
	}
	if err := readers.Wait(); err != nil {
		return err
	}
	s.catalogue.replace(read, time.Now())
	s.refreshes.done.Go(debug.FreeOSMemory) // most of what the load has used is garbage
	return nil
}

// loadSchedules reads the schedules that are not retired.
func (s *System) loadSchedules(to *catalogue) error {
	for now, after := time.Now(), (booking.ScheduleID{}); ; {
		page, err := within(s, func(ctx context.Context) ([]persistence.StoredSchedule, error) {
			return s.store.ListSchedules(ctx, now, after, trainsPerPage)
		})
		if err != nil {
			return err
		}
		to.addSchedules(page)
		if len(page) < trainsPerPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// trainPages are the pages of the trains that are not retired, for several readers.
type trainPages struct {
	mu   sync.Mutex
	next booking.Cursor // where the page begins that no reader has taken
}

// read reads a page that no other reader has taken. last reports that there is none.
func (p *trainPages) read(s *System) (trains []booking.Train, last bool, err error) {
	begin, end, err := p.take(s)
	if err != nil || begin == persistence.LastPosition {
		return nil, true, err
	}
	trains, err = within(s, func(ctx context.Context) ([]booking.Train, error) {
		return s.store.ListTrains(ctx, begin, end)
	})
	return trains, false, err
}

func (p *trainPages) take(s *System) (begin, end booking.Cursor, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	begin = p.next
	if begin != persistence.LastPosition {
		p.next, err = within(s, func(ctx context.Context) (booking.Cursor, error) {
			return s.store.PageEnd(ctx, begin, trainsPerPage)
		})
	}
	return begin, p.next, err
}

// within calls the store with a timeout.
func within[R any](s *System, call func(context.Context) (R, error)) (R, error) {
	ctx, cancel := context.WithTimeout(s.running, storeTimeout)
	defer cancel()
	return call(ctx)
}

// refreshPeriodically reads what this process was not told of, until ctx ends.
func (s *System) refreshPeriodically(ctx context.Context) {
	tick := time.NewTicker(refreshInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if err := s.refreshes.wait(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("catalogue not refreshed from the store", slog.Any("error", err))
			}
			s.activations.dropExpiredHandoffs(now)
		}
	}
}

// announce makes every member read what has changed, and returns when all have. The response to a
// change follows, so that a client that has seen the response finds the train through every process
// (DESIGN.md 5).
func (s *System) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	own := s.refreshes.begin()
	// The peers, and this process at the same time.
	err := cluster.Broadcast(ctx, s.cluster, func(ctx context.Context, p *cluster.Peer) error {
		_, err := wire.NewTrainsClient(p.Connection()).RefreshCatalogue(ctx, &wire.RefreshCatalogueRequest{})
		return err
	})
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	select {
	case <-own.done:
		return own.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// findTrains returns the trains with the ids, which may be retired, in their order; nil for those
// that do not exist. What is not in the catalogue is read from the store.
func (s *System) findTrains(ctx context.Context, ids ...booking.TrainID) ([]*booking.Train, error) {
	trains, err := s.findIn(ctx, func(id booking.TrainID) *booking.Train { return s.catalogue.find(id, time.Now()) }, ids)
	for i, id := range ids {
		if trains[i] == nil && err == nil {
			trains[i] = s.catalogue.findComputed(id) // it is retired, and has no row
		}
	}
	return trains, err
}

// findRows is findTrains for trains that have rows.
func (s *System) findRows(ctx context.Context, ids ...booking.TrainID) ([]*booking.Train, error) {
	return s.findIn(ctx, s.catalogue.findRow, ids)
}

// findIn returns what the catalogue has of the trains, and for the others what the store has.
func (s *System) findIn(
	ctx context.Context, listed func(booking.TrainID) *booking.Train, ids []booking.TrainID,
) ([]*booking.Train, error) {
	trains := make([]*booking.Train, len(ids))
	var missing []booking.TrainID
	for i, id := range ids {
		if trains[i] = listed(id); trains[i] == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return trains, nil
	}
	found, err := s.passive.find(ctx, missing)
	for i, id := range ids {
		if at := slices.IndexFunc(found, func(t booking.Train) bool { return t.ID == id }); trains[i] == nil && at >= 0 {
			trains[i] = &found[at]
		}
	}
	return trains, err
}

// findTrain is findTrains for one train. Error: not_found.
func (s *System) findTrain(ctx context.Context, id booking.TrainID) (*booking.Train, error) {
	trains, err := s.findTrains(ctx, id)
	if err == nil && trains[0] == nil {
		err = booking.NotFound("train")
	}
	return trains[0], err
}
