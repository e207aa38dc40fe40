package actors_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// TestCatalogueFindsWhatASimpleSearchFinds compares the index with a search of all trains, after
// random changes and as time passes.
func TestCatalogueFindsWhatASimpleSearchFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		c, stored := actors.NewCatalogue(), map[booking.TrainID]booking.Train{}
		ids := make([]booking.TrainID, 8)
		for i := range ids {
			ids[i] = booking.NewTrainID()
		}
		change := func(r *rapid.T) persistence.ChangedTrain {
			changed := persistence.ChangedTrain{Train: drawTrain(r, now), Deleted: rapid.Bool().Draw(r, "deleted")}
			changed.ID = rapid.SampledFrom(ids).Draw(r, "id")
			if changed.Deleted {
				delete(stored, changed.ID)
			} else {
				stored[changed.ID] = changed.Train
			}
			return changed
		}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			switch rapid.IntRange(0, 3).Draw(r, "step") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(r, "hours")) * time.Hour)
				c.Expire(now)
			case 1:
				var trains []booking.Train
				for _, train := range stored {
					trains = append(trains, train)
				}
				c.Load(trains, now)
			default:
				c.Apply(change(r), now)
			}
			requireFindsAll(r, c, stored, now)
		}
	})
}

// stationNames has names with the same search key, of which a train may have several.
var stationNames = []string{"A", "Á", "b", "b C", "C", "c-b", "C B", "c cb", "d"}

func drawTrain(r *rapid.T, now time.Time) booking.Train {
	train := booking.Train{
		OnSale:    rapid.Bool().Draw(r, "on sale"),
		CreatedAt: now.Add(time.Duration(rapid.IntRange(0, 3).Draw(r, "created")) * time.Second),
	}
	if rapid.IntRange(0, 3).Draw(r, "sold later") == 0 {
		train.SalesOpenAt = now.Add(time.Duration(rapid.IntRange(-1, 10).Draw(r, "sold")) * time.Hour)
	}
	at := now.Add(time.Duration(rapid.IntRange(-50, 50).Draw(r, "leaves")) * time.Hour)
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(stationNames), 2, 4, rapid.ID).Draw(r, "stations")
	for _, name := range names {
		stop := booking.Stop{Station: name}
		if at = at.Add(time.Hour); rapid.IntRange(0, 5).Draw(r, "timed") > 0 {
			stop.DepartsAt = at
		}
		train.Stops = append(train.Stops, stop)
	}
	return train
}

func requireFindsAll(r *rapid.T, c actors.Catalogue, stored map[booking.TrainID]booking.Train, now time.Time) {
	for _, from := range []string{"a", "B", "C", "à", "c\u2010b"} {
		for _, to := range []string{"A", "c", "D", "c B"} {
			date := now.AddDate(0, 0, rapid.IntRange(-1, 1).Draw(r, "date"))
			var listed, ahead, dated, onSale []booking.TrainID
			for _, train := range byDeparture(stored, from) {
				segment, err := train.Segment(from, to)
				if err != nil || retired(train, now) {
					continue
				}
				listed = append(listed, train.ID)
				if train.Departure(segment).Format(time.DateOnly) == date.Format(time.DateOnly) {
					dated = append(dated, train.ID)
				}
				if train.Departed(segment, now) {
					continue
				}
				ahead = append(ahead, train.ID)
				if train.OnSale && !train.SalesOpenAt.After(now) {
					onSale = append(onSale, train.ID)
				}
			}
			require.Equal(r, ahead, idsOf(c.List(booking.TrainQuery{From: from, To: to}, now).Items))
			query := booking.TrainQuery{From: from, To: to, Departed: true}
			require.Equal(r, listed, idsOf(c.List(query, now).Items))
			query.Page.Limit = 1
			require.Equal(r, listed, paged(c, query, func() time.Time { return now }))
			require.Equal(r, dated, idsOf(c.List(booking.TrainQuery{From: from, To: to, Date: date, Departed: true}, now).Items))
			require.Equal(r, onSale, idsOf(c.OnSale(from, to, time.Time{}, now)))
			requirePagesAsTimePasses(r, c, booking.TrainQuery{From: from, To: to}, now)
		}
	}
	var all, ahead []booking.TrainID
	for _, train := range byAge(stored) {
		if retired(train, now) {
			continue
		}
		all = append(all, train.ID)
		if !train.Departed(booking.Segment(len(train.Stops)-2, len(train.Stops)-1), now) {
			ahead = append(ahead, train.ID)
		}
	}
	require.Equal(r, all, idsOf(c.List(booking.TrainQuery{Departed: true}, now).Items))
	require.Equal(r, ahead, idsOf(c.List(booking.TrainQuery{}, now).Items))
	requirePagesAsTimePasses(r, c, booking.TrainQuery{}, now)
	for _, prefix := range []string{"a", "B", "c", "C-", "b c", "cb", "d"} {
		require.Equal(r, suggestions(stored, prefix, now), c.Suggest(prefix), prefix)
	}
}

// requirePagesAsTimePasses reads a list in pages, between which trains depart: those that do not are on
// exactly one page, and no train is on two.
func requirePagesAsTimePasses(
	r *rapid.T, c actors.Catalogue, query booking.TrainQuery, now time.Time,
) {
	before, end := idsOf(c.List(query, now).Items), now
	query.Page.Limit = rapid.IntRange(1, 3).Draw(r, "limit")
	found := paged(c, query, func() time.Time {
		end = end.Add(time.Duration(rapid.IntRange(0, 20).Draw(r, "later")) * time.Hour)
		return end
	})
	after := idsOf(c.List(booking.TrainQuery{From: query.From, To: query.To}, end).Items)
	left := func(id booking.TrainID) bool { return !slices.Contains(found, id) && !slices.Contains(after, id) }
	require.True(r, slices.Equal(slices.DeleteFunc(before, left), found), "of %v found %v, when %v were left", before, found, after)
}

// paged returns the trains on all pages, each of which is read at its time.
func paged(c actors.Catalogue, query booking.TrainQuery, now func() time.Time) (ids []booking.TrainID) {
	for {
		page := c.List(query, now())
		ids = append(ids, idsOf(page.Items)...)
		if query.Page.After = page.Next; page.Next.IsZero() {
			return ids
		}
	}
}

func retired(train *booking.Train, now time.Time) bool {
	at := train.RetiresAt()
	return !at.IsZero() && !at.After(now)
}

// suggestions is a simple form of SuggestStations.
func suggestions(stored map[booking.TrainID]booking.Train, prefix string, now time.Time) []booking.Station {
	trains, spellings := map[string]int{}, map[string]map[string]int{}
	for _, train := range stored {
		if retired(&train, now) {
			continue
		}
		calls := map[string]bool{}
		for _, stop := range train.Stops {
			key := booking.SearchKey(stop.Station)
			if strings.Contains(" "+key, " "+booking.SearchKey(prefix)) {
				if spellings[key] == nil {
					spellings[key] = map[string]int{}
				}
				calls[key] = true
				spellings[key][stop.Station]++
			}
		}
		for key := range calls {
			trains[key]++
		}
	}
	found := []booking.Station{}
	for key, spelled := range spellings {
		station := booking.Station{Trains: trains[key]}
		for _, name := range slices.Sorted(maps.Keys(spelled)) {
			if station.Name == "" || spelled[name] > spelled[station.Name] {
				station.Name = name
			}
		}
		found = append(found, station)
	}
	slices.SortFunc(found, func(a, b booking.Station) int {
		return cmp.Or(b.Trains-a.Trains, strings.Compare(a.Name, b.Name))
	})
	return found
}

func byAge(stored map[booking.TrainID]booking.Train) (trains []*booking.Train) {
	for _, train := range stored {
		trains = append(trains, &train)
	}
	slices.SortFunc(trains, func(a, b *booking.Train) int {
		return booking.Cursor{At: a.CreatedAt, ID: uuid.UUID(a.ID)}.Compare(booking.Cursor{At: b.CreatedAt, ID: uuid.UUID(b.ID)})
	})
	return trains
}

// byDeparture returns the trains in the order in which they leave a station, those of which that is not
// known last.
func byDeparture(stored map[booking.TrainID]booking.Train, station string) []*booking.Train {
	trains := byAge(stored)
	leaves := func(train *booking.Train) time.Time {
		for _, stop := range train.Stops[max(0, train.Position(station)):] {
			if !stop.DepartsAt.IsZero() {
				return stop.DepartsAt
			}
		}
		return time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	slices.SortFunc(trains, func(a, b *booking.Train) int {
		return cmp.Or(leaves(a).Compare(leaves(b)), strings.Compare(a.ID.String(), b.ID.String()))
	})
	return trains
}

func idsOf(trains []*booking.Train) (ids []booking.TrainID) {
	for _, train := range trains {
		ids = append(ids, train.ID)
	}
	return ids
}

// catalogueStores count the reads of the catalogue, and can lose revisions.
type catalogueStores struct {
	*stores
	reads atomic.Int32
	lost  atomic.Int64
}

func (s *catalogueStores) Revision(ctx context.Context) (int64, error) {
	revision, err := s.stores.Revision(ctx)
	return revision - s.lost.Load(), err
}

func (s *catalogueStores) ListTrains(ctx context.Context, after, upTo booking.Cursor) ([]booking.Train, error) {
	s.reads.Add(1)
	return s.stores.ListTrains(ctx, after, upTo)
}

func (s *catalogueStores) ChangedTrains(ctx context.Context, after int64, limit int) ([]persistence.ChangedTrain, error) {
	s.reads.Add(1)
	return s.stores.ChangedTrains(ctx, after, limit)
}

func TestRefreshReadsOnlyWhatHasChanged(t *testing.T) {
	t.Parallel()
	stores := &catalogueStores{stores: openStores(t)}
	s := start(t, stores, rules)
	addTrain(t, s, 10)
	require.NoError(t, actors.Refresh(t.Context(), s))
	before := stores.reads.Load()
	for range 3 {
		require.NoError(t, actors.Refresh(t.Context(), s))
	}
	require.Equal(t, before, stores.reads.Load(), "nothing has changed")
	created := express(booking.NewTrainID())
	require.NoError(t, stores.CreateTrain(t.Context(), created)) // as another process does
	require.NoError(t, actors.Refresh(t.Context(), s))
	require.Equal(t, before+1, stores.reads.Load())
	page, err := s.ListTrains(t.Context(), booking.TrainQuery{})
	require.NoError(t, err)
	require.Len(t, page.Items, 2)
}

func TestCatalogueIsReadAgainWhenTheStoreHasLostChanges(t *testing.T) {
	t.Parallel()
	stores := &catalogueStores{stores: openStores(t)}
	s := start(t, stores, rules)
	addTrain(t, s, 10)
	lists := stores.reads.Load()
	stores.lost.Store(1)
	require.NoError(t, actors.Refresh(t.Context(), s))
	require.Equal(t, lists+1, stores.reads.Load())
}

// movingStores move a train to a later page as soon as the page that it was on has been read.
type movingStores struct {
	*stores
	train booking.Train
	once  sync.Once
	moved chan struct{} // closed when the train has been moved
}

func (s *movingStores) PageEnd(ctx context.Context, after booking.Cursor, _ int) (booking.Cursor, error) {
	return s.stores.PageEnd(ctx, after, 1)
}

func (s *movingStores) ListTrains(ctx context.Context, after, upTo booking.Cursor) ([]booking.Train, error) {
	if upTo == persistence.LastPosition {
		<-s.moved
	}
	page, err := s.stores.ListTrains(ctx, after, upTo)
	if err == nil && len(page) == 1 && page[0].ID == s.train.ID && upTo != persistence.LastPosition {
		s.once.Do(func() {
			defer close(s.moved)
			guard := persistence.Guard{Train: s.train.ID, Epoch: 1, Owner: uuid.New()}
			if _, err = s.Adopt(ctx, []persistence.Adoption{{Guard: guard}}); err == nil {
				err = s.ChangeTrain(ctx, guard, s.train)
			}
		})
	}
	return page, err
}

func TestTrainThatMovesWhileTheCatalogueIsReadIsListedOnce(t *testing.T) {
	t.Parallel()
	train := express(booking.NewTrainID())
	train.Stops[1].ArrivesAt = time.Now().Add(time.Hour)
	later := train
	later.Stops = slices.Clone(train.Stops)
	later.Stops[1].ArrivesAt = time.Now().Add(2 * time.Hour)
	stores := &movingStores{stores: openStores(t), train: later, moved: make(chan struct{})}
	require.NoError(t, stores.CreateTrain(t.Context(), train))
	s := start(t, stores, rules)
	for range 2 { // before and after the change is read
		page, err := s.ListTrains(t.Context(), booking.TrainQuery{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.NoError(t, actors.Refresh(t.Context(), s))
	}
	page, err := s.ListTrains(t.Context(), booking.TrainQuery{})
	require.NoError(t, err)
	require.True(t, later.Stops[1].ArrivesAt.Equal(page.Items[0].Train.Stops[1].ArrivesAt))
}

func TestRetiredTrainIsFoundOnlyByItsID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, openStores(t), rules)
		train := express(booking.NewTrainID())
		const left = 10 * time.Second // until it retires
		_, _, err := s.PutTrain(t.Context(), train)
		require.NoError(t, err)
		user := uuid.New()
		held, err := s.Hold(t.Context(), seat(train.ID, user, 5))
		require.NoError(t, err)
		booked, err := s.Confirm(t.Context(), booking.HoldRef{Train: train.ID, User: user, Hold: held.ID})
		require.NoError(t, err)
		train.Stops[1].ArrivesAt = time.Now().Add(left - booking.RetireAfter) // it has left
		train, _, err = s.PutTrain(t.Context(), train)
		require.NoError(t, err)
		listed := func() int {
			require.NoError(t, actors.Refresh(t.Context(), s))
			page, err := s.ListTrains(t.Context(), booking.TrainQuery{Departed: true})
			require.NoError(t, err)
			return len(page.Items)
		}
		<-time.After(left - time.Second)
		require.Equal(t, 1, listed())
		<-time.After(time.Second)
		require.Zero(t, listed())

		require.Equal(t, booking.Tally{Booked: 1, Available: 19}, tally(t, s, train.ID))
		history, err := s.UserBookings(t.Context(), user, booking.PageRequest{})
		require.NoError(t, err)
		require.Equal(t, booked.ID, history.Items[0].ID)
		sold, err := s.TrainBookings(t.Context(), train.ID, booking.PageRequest{})
		require.NoError(t, err)
		require.Len(t, sold.Items, 1)
		require.Equal(t, booking.CodeDeparted, booking.CodeOf(s.CancelBooking(t.Context(), user, booked.ID)))
		require.NoError(t, s.CancelAnyBooking(t.Context(), uuid.New(), booked.ID))
		train.Stops = slices.Clone(train.Stops)
		train.Stops[1].ArrivesAt = time.Time{}
		_, created, err := s.PutTrain(t.Context(), train)
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, 1, listed(), "it runs again")
	})
}
