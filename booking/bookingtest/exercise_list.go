package bookingtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var listFacts = []fact{
	{"SearchFindsTrainsInItsDirection", func(x *exercise) {
		first, second := x.create(x.draft(2)), x.create(x.draft(3))
		require.ElementsMatch(x, []booking.TrainID{first.ID, second.ID}, x.searched("A", "D"))
		require.ElementsMatch(x, []booking.TrainID{first.ID, second.ID}, x.searched("B", "C"))
		require.Empty(x, x.searched("C", "B"))
		require.Empty(x, x.searched("B", "B"))
		require.Empty(x, x.searched("A", "Nowhere"))
		require.NotNil(x, x.search("A", "Nowhere", time.Time{}), "an empty list is not nil")
	}},
	{"SearchFoldsStations", func(x *exercise) {
		draft := x.draft(1)
		draft.Stops[0].Station = x.station("Große Straße")
		draft.Stops[3].Station = x.station("दिल्ली")
		train := x.create(draft)
		require.Equal(x, []booking.TrainID{train.ID}, x.searched("GROSSE STRASSE", "दिल्ली"))
		require.Equal(x, []booking.TrainID{train.ID}, x.searched(" große straße", "दिल्ली"))
		found, err := x.Search(x.ctx(), strings.ToUpper(x.station("b")), x.station("C"), time.Time{})
		require.NoError(x, err)
		require.Equal(x, x.station("B"), found.Trains[0].Train.Stops[1].Station, "in the spelling of the train")
	}},
	{"SearchIgnoresHowStationsAreSpelled", func(x *exercise) {
		draft := x.draft(3)
		draft.Stops[0].Station = x.station("İstanbul")
		draft.Stops[3].Station = x.station("New Delhi")
		train := x.create(draft)
		for _, from := range []string{"istanbul", "ISTANBUL", "ıstanbul"} {
			require.Equal(x, []booking.TrainID{train.ID}, x.searched(from, "new\u00a0 DELHI"))
			require.Equal(x, []booking.TrainID{train.ID}, x.listed(booking.TrainQuery{From: x.station(from), To: x.station("B")}, 1))
		}
		require.Equal(x, "aaa", x.seats(train, "istanbul", "new-delhi"))
		hold := x.hold(x.between(request(train, uuid.New(), 1), "Istanbul", "NEW  DELHI"))
		require.Equal(x, train.Run(), hold.Legs)
		x.requireFound("Istanbul", "New Delhi", "[2,3]", booking.Tally{Available: 2, Held: 1})
	}},
	{"StationsAreSuggestedByTheBeginningOfAWord", func(x *exercise) {
		word := strings.ReplaceAll(x.line, "-", "")
		station := func(name string) string { return name + " " + word }
		draft := x.draft(1)
		for i, name := range []string{"İstanbul", "Iğdır-Ost", "Agra", "Bursa"} {
			draft.Stops[i].Station = station(name)
		}
		train := x.create(draft)
		draft.ID, draft.Stops = booking.NewTrainID(), slices.Clone(draft.Stops)
		draft.Stops[0].Station, draft.Stops[2].Station = station("Istanbul"), station("Cairo")
		x.create(draft)
		draft.ID = booking.NewTrainID()
		draft.Stops = []booking.Stop{{Station: station("Istanbul")}, {Station: station("Cairo")}}
		x.create(draft)

		require.Equal(x, []booking.Station{
			{Name: station("Istanbul"), Trains: 3},
			{Name: station("Bursa"), Trains: 2},
			{Name: station("Cairo"), Trains: 2},
			{Name: station("Iğdır-Ost"), Trains: 2},
			{Name: station("Agra"), Trains: 1},
		}, x.suggested(strings.ToUpper(word)))
		require.Equal(x, []booking.Station{{Name: station("Istanbul"), Trains: 3}}, x.suggested("İSTANBUL "+word[:30]))
		require.Equal(x, []booking.Station{{Name: station("Iğdır-Ost"), Trains: 2}}, x.suggested("ost "+word))
		require.Empty(x, x.suggested("stanbul "+word))
		found, err := x.SuggestStations(x.ctx(), "nowhere "+word)
		require.NoError(x, err)
		require.NotNil(x, found, "an empty list is not nil")

		require.NoError(x, x.DeleteTrain(x.ctx(), train.ID, false))
		require.Empty(x, x.suggested("agra "+word))
		require.Equal(x, []booking.Station{{Name: station("Istanbul"), Trains: 2}}, x.suggested("istanbul "+word))
	}},
	{"TenStationsAreSuggestedAtMost", func(x *exercise) {
		word := strings.ReplaceAll(x.line, "-", "")
		draft := x.draft(1)
		for i := range 12 {
			draft.Stops = append(draft.Stops, booking.Stop{Station: fmt.Sprintf("%s %02d", word, i)})
		}
		x.create(draft)
		draft.ID, draft.Stops = booking.NewTrainID(), draft.Stops[len(draft.Stops)-2:]
		x.create(draft)
		found := x.suggested(word)
		require.Len(x, found, booking.MaxSuggestions)
		require.Equal(x, booking.Station{Name: word + " 10", Trains: 2}, found[0])
		require.Equal(x, booking.Station{Name: word + " 07", Trains: 1}, found[9])
	}},
	{"SearchReturnsTheSeatsOfTheSegment", func(x *exercise) {
		train := x.create(x.draft(5))
		x.hold(x.between(request(train, uuid.New(), 2), "A", "B"))
		x.book(x.between(request(train, uuid.New(), 4), "B", "D"))
		x.requireFound("A", "D", "[1,3,5]", booking.Tally{Available: 3, Held: 1, Booked: 1})
		x.requireFound("A", "B", "[1,3,4,5]", booking.Tally{Available: 4, Held: 1})
		x.requireFound("C", "D", "[1,2,3,5]", booking.Tally{Available: 4, Booked: 1})
		x.hold(request(train, uuid.New(), 1, 3, 5))
		x.requireFound("A", "D", "[]", booking.Tally{Held: 4, Booked: 1})
	}},
	{"SearchOmitsTrainsThatCannotBeBooked", func(x *exercise) {
		x.create(offSale(x.draft(1)))
		left := x.create(x.departed())
		require.Empty(x, x.searched("A", "D"))
		require.Equal(x, []booking.TrainID{left.ID}, x.searched("B", "D"), "it can be boarded at B")
	}},
	{"ListOmitsDepartedTrainsUnlessAsked", func(x *exercise) {
		ahead, left := x.create(offSale(x.draft(1))), x.create(x.departed())
		draft := x.departed()
		draft.Stops[3].ArrivesAt = draft.Stops[0].DepartsAt
		draft.Stops[1].DepartsAt = time.Time{}
		gone := x.create(draft)
		query := booking.TrainQuery{From: x.station("A"), To: x.station("D")}
		require.Equal(x, []booking.TrainID{ahead.ID}, x.listed(query, 1))
		query.Departed = true
		require.ElementsMatch(x, []booking.TrainID{ahead.ID, left.ID, gone.ID}, x.listed(query, 1))
		query = booking.TrainQuery{From: x.station("B"), To: x.station("D")}
		require.Equal(x, []booking.TrainID{left.ID, ahead.ID}, x.listed(query, 1), "it can be boarded at B")
		mine := []booking.TrainID{ahead.ID, left.ID, gone.ID}
		require.Equal(x, mine, x.listedOf(booking.TrainQuery{Departed: true}, mine))
		require.Equal(x, mine[:2], x.listedOf(booking.TrainQuery{}, mine), "it can be boarded at no stop")
	}},
	{"TrainsAreListedInTheOrderInWhichTheyDepart", func(x *exercise) {
		leaves := func(at ...int) booking.TrainID { // minutes from a time at which A and B are left; 0: not given
			draft := x.draft(1)
			for stop, minutes := range at {
				if minutes != 0 {
					draft.Stops[stop].DepartsAt = time.Now().Add(time.Hour + time.Duration(minutes)*time.Minute)
				}
			}
			return x.create(draft).ID
		}
		untimed, fast, ten, eight, nine := leaves(), leaves(55, 56), leaves(60, 61), leaves(40, 70), leaves(0, 50)
		require.Equal(x, []booking.TrainID{eight, nine, fast, ten, untimed}, x.searched("A", "D"))
		overtaken := []booking.TrainID{nine, fast, ten, eight, untimed}
		require.Equal(x, overtaken, x.searched("B", "D"), "one train may overtake another")
		query := booking.TrainQuery{From: x.station("B"), To: x.station("D"), Page: booking.PageRequest{Limit: 2}}
		require.Equal(x, overtaken, x.listed(query, 3))
	}},
	{"TrainThatDepartsBetweenPagesMovesNoOther", func(x *exercise) {
		var trains []booking.Train
		for i := range 5 {
			draft := x.draft(1)
			draft.Stops[0].DepartsAt = time.Now().Add(time.Duration(i+1) * time.Hour)
			trains = append(trains, x.create(draft))
		}
		query := booking.TrainQuery{From: x.station("A"), To: x.station("D"), Page: booking.PageRequest{Limit: 2}}
		page, err := x.ListTrains(x.ctx(), query)
		require.NoError(x, err)
		require.Len(x, page.Items, 2)
		for _, left := range trains[1:3] { // the last of the page, and the next one
			left.Stops = slices.Clone(left.Stops)
			left.Stops[0].DepartsAt = time.Now().Add(-time.Minute)
			_, _, err = x.PutTrain(x.ctx(), left)
			require.NoError(x, err)
		}
		query.Page.After = page.Next
		require.Equal(x, []booking.TrainID{trains[3].ID, trains[4].ID}, x.listed(query, 1))
	}},
	{"ListIsPaged", func(x *exercise) {
		var all []booking.TrainID
		for i := range 5 {
			draft := x.draft(1)
			draft.Stops[1].DepartsAt = time.Now().Add(time.Duration(i+1) * time.Hour)
			all = append(all, x.create(draft).ID)
		}
		query := booking.TrainQuery{From: x.station("B"), To: x.station("D"), Page: booking.PageRequest{Limit: 2}}
		require.Equal(x, all, x.listed(query, 3))
		query.Page.Limit = 5
		require.Equal(x, all, x.listed(query, 1))
		query.Page.Limit = 0
		require.Equal(x, all, x.listed(query, 1))
	}},
	{"ListWithoutStationsHasEveryTrain", func(x *exercise) {
		var mine []booking.TrainID
		for range 3 {
			mine = append(mine, x.create(x.draft(1)).ID)
		}
		require.Equal(x, mine, x.listedOf(booking.TrainQuery{}, mine), "each once, oldest first")
	}},
	{"ListCountsTheSegmentOfTheQuery", func(x *exercise) {
		train := x.create(x.draft(5))
		x.hold(x.between(request(train, uuid.New(), 2), "A", "B"))
		x.book(x.between(request(train, uuid.New(), 4), "B", "D"))
		page, err := x.ListTrains(x.ctx(), booking.TrainQuery{From: x.station("A"), To: x.station("B")})
		require.NoError(x, err)
		require.Equal(x, booking.Tally{Available: 4, Held: 1}, page.Items[0].Tally)
		require.Equal(x, booking.Segment(0, 1), page.Items[0].Segment)
		require.True(x, page.Items[0].SeatList.IsZero())
	}},
	{"DateIsLocalToTheStopOfTheQuery", func(x *exercise) {
		india := time.FixedZone("", 19800)
		draft := x.draft(1)
		draft.Stops[0].DepartsAt = time.Date(2040, 2, 28, 23, 50, 0, 0, india)
		draft.Stops[1].DepartsAt = time.Date(2040, 2, 29, 0, 30, 0, 0, india) // the 28th in UTC
		train := x.create(draft)
		x.create(x.draft(1)) // without times: on no date
		on := func(from string, day int) []booking.TrainID {
			return x.listed(booking.TrainQuery{
				From: x.station(from), To: x.station("D"), Date: time.Date(2040, 2, day, 0, 0, 0, 0, time.UTC),
			}, 1)
		}
		require.Equal(x, []booking.TrainID{train.ID}, on("A", 28))
		require.Empty(x, on("A", 29))
		require.Equal(x, []booking.TrainID{train.ID}, on("B", 29))
		require.Empty(x, on("B", 28))
		require.Empty(x, on("C", 29), "C has no departure time")
	}},
	{"SeatMapIsOfTheSegment", func(x *exercise) {
		train := x.create(x.draft(3))
		x.hold(x.between(request(train, uuid.New(), 1), "A", "B"))
		x.book(x.between(request(train, uuid.New(), 1), "B", "C"))
		require.Equal(x, "baa", x.seats(train, "A", "D"), "held on one leg, booked on another")
		require.Equal(x, "haa", x.seats(train, "A", "B"))
		require.Equal(x, "baa", x.seats(train, "B", "D"))
		require.Equal(x, "aaa", x.seats(train, "C", "D"))
		_, err := x.SeatMap(x.ctx(), train.ID, x.station("Nowhere"), "")
		x.requireCode(booking.CodeNotFound, err)
		_, err = x.SeatMap(x.ctx(), train.ID, x.station("C"), x.station("B"))
		x.requireFields(err, "to")
	}},
}

// search returns what a search finds. If the same search before is still current, it must have found that too.
func (x *exercise) search(from, to string, date time.Time) []booking.Availability {
	x.Helper()
	before, searched := x.searches[searchOf{from, to, date}]
	current := searched && before.Current != nil && before.Current()
	found, err := x.Search(x.ctx(), x.station(from), x.station(to), date)
	require.NoError(x, err)
	if current {
		require.Equal(x, summaries(before.Trains), summaries(found.Trains), "is current")
	}
	x.searches[searchOf{from, to, date}] = found
	return found.Trains
}

type searchOf struct {
	from, to string
	date     time.Time
}

// summaries returns what clients see of trains.
func summaries(found []booking.Availability) (all []string) {
	for _, a := range found {
		from, to := a.Train.Ends(a.Segment)
		all = append(all, fmt.Sprintln(a.Train.ID, a.Train.Name, a.Train.Capacity, from, to, a.Tally, a.SeatList.String()))
	}
	return all
}

// searched returns the ids of the trains that a search finds.
func (x *exercise) searched(from, to string) []booking.TrainID {
	x.Helper()
	return trainsOf(x.search(from, to, time.Time{}))
}

// suggested returns the stations that are suggested.
func (x *exercise) suggested(prefix string) []booking.Station {
	x.Helper()
	found, err := x.SuggestStations(x.ctx(), prefix)
	require.NoError(x, err)
	return found
}

// requireFound checks the seats and tally of the only train that a search finds.
func (x *exercise) requireFound(from, to, list string, tally booking.Tally) {
	x.Helper()
	found := x.search(from, to, time.Time{})
	require.Len(x, found, 1)
	require.JSONEq(x, list, found[0].SeatList.String())
	require.Equal(x, tally, found[0].Tally)
}

// listed returns the ids of the trains on all pages of a list and checks the number of pages
// (0: any number).
func (x *exercise) listed(query booking.TrainQuery, pages int) (ids []booking.TrainID) {
	x.Helper()
	for n := 1; ; n++ {
		page, err := x.ListTrains(x.ctx(), query)
		require.NoError(x, err)
		for _, a := range page.Items {
			ids = append(ids, a.Train.ID)
		}
		if page.Next.IsZero() {
			require.Contains(x, []int{0, n}, pages)
			return ids
		}
		require.Len(x, page.Items, query.Page.Limit)
		query.Page.After = page.Next
	}
}

// listedOf returns those of the trains that are on the pages of a list without stations.
func (x *exercise) listedOf(query booking.TrainQuery, trains []booking.TrainID) []booking.TrainID {
	x.Helper()
	query.Page.Limit = 7
	return slices.DeleteFunc(x.listed(query, 0), func(id booking.TrainID) bool { return !slices.Contains(trains, id) })
}

// offSale returns the train as not on sale.
func offSale(train booking.Train) booking.Train {
	train.OnSale = false
	return train
}

// departed returns a train that has left A but not B.
func (x *exercise) departed() booking.Train {
	train := x.draft(1)
	train.Stops[0].DepartsAt = time.Now().Add(-time.Hour)
	train.Stops[1].DepartsAt = time.Now().Add(time.Hour)
	return train
}
