package chaos_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/chaos/history"
)

// searchTime is how long the search for one seat may take.
const searchTime = 2 * time.Minute

// stored is a row of the store's bookings.
type stored struct {
	id, user uuid.UUID
	train    booking.TrainID
	seats    []int
	legs     uint64
	live     bool
}

// judge compares what clients saw with the store, and with what may be.
func (r *run) judge(ended time.Duration) {
	rows := r.rows()
	r.judgeSeats(rows)
	r.judgeEpochs()
	r.judgeList(rows)

	h := history.History{Operations: r.ops, Losses: r.losses, Stored: map[uuid.UUID]bool{}}
	sold := map[booking.TrainID]map[int]uuid.UUID{}
	for _, row := range rows {
		h.Stored[row.id] = row.live
		if sold[row.train] == nil {
			sold[row.train] = map[int]uuid.UUID{}
		}
		if row.live {
			for _, seat := range row.seats {
				sold[row.train][seat] = row.id
			}
		}
	}
	for _, train := range r.all {
		for seat := range seats {
			h.Operations = append(h.Operations, history.Operation{
				Client: users*each + 1, Train: train, Seat: seat + 1, Kind: history.Stored, Result: history.Done,
				Call: ended, Return: ended + 1, Booking: sold[train][seat+1],
			})
		}
	}
	for _, o := range h.Missing() {
		r.t.Errorf("I5: at %.3fs was answered %s, and the store does not say so", o.Return.Seconds(), o)
	}
	verdict := h.Check(searchTime)
	for _, w := range verdict.Wrong {
		r.t.Errorf("no order of what was answered explains it: %s", w)
	}
	for _, complaint := range r.wrong[:min(len(r.wrong), 20)] {
		r.t.Errorf("an answer that nothing explains, %s", complaint)
	}
	r.report(verdict, ended)
	if r.t.Failed() {
		r.keep(&h, verdict)
	}
}

// rows reads the bookings from the store, cancelled ones too.
func (r *run) rows() (rows []stored) {
	for _, columns := range servers.Query(r.t, r.postgres.Address, `
		SELECT id, train_id, user_id, array_to_string(seats, ','), legs, cancelled_at IS NULL FROM bookings`) {
		row := stored{live: columns[5] == "t"}
		var err error
		row.id = uuid.MustParse(columns[0])
		row.user = uuid.MustParse(columns[2])
		row.train, err = booking.ParseTrainID(columns[1])
		require.NoError(r.t, err)
		row.legs, err = strconv.ParseUint(columns[4], 10, 64)
		require.NoError(r.t, err)
		for number := range strings.SplitSeq(columns[3], ",") {
			seat, err := strconv.Atoi(number)
			require.NoError(r.t, err)
			row.seats = append(row.seats, seat)
		}
		rows = append(rows, row)
	}
	return rows
}

// judgeSeats says which seats are sold twice (I1), and where the table of seats says
// something else than that of bookings.
func (r *run) judgeSeats(rows []stored) {
	type place struct {
		train booking.TrainID
		seat  int
	}
	sold := map[place]uint64{}
	for _, row := range rows {
		for _, seat := range row.seats {
			at := place{row.train, seat}
			if row.live && sold[at]&row.legs != 0 {
				r.t.Errorf("I1: seat %d of %s is sold twice on %d legs", seat, row.train, bits.OnesCount64(sold[at]&row.legs))
			}
			if row.live {
				sold[at] |= row.legs
			}
		}
	}
	for _, columns := range servers.Query(r.t, r.postgres.Address, "SELECT train_id, seat_number, legs FROM seats") {
		train, err := booking.ParseTrainID(columns[0])
		require.NoError(r.t, err)
		seat, err := strconv.Atoi(columns[1])
		require.NoError(r.t, err)
		if at := (place{train, seat}); columns[2] != strconv.FormatUint(sold[at], 10) {
			r.t.Errorf("the store has legs %s of seat %d of %s for sold, its bookings %d", columns[2], seat, train, sold[at])
		}
	}
}

// judgeEpochs says where the epochs of a train's bookings fall (I6): in the order of
// commits as far as it is known, which a cancelling overwrites, and in the order in which
// the confirms arrived. Those of the last 5 s may wait for each other's owners.
func (r *run) judgeEpochs() {
	for _, columns := range servers.Query(r.t, r.postgres.Address, `
		SELECT train_id, id, before, epoch, of FROM (
			SELECT train_id, id, epoch, 'commits' AS of, lag(epoch) OVER (
				PARTITION BY train_id ORDER BY pg_xact_commit_timestamp(b.xmin)) AS before
			FROM bookings b WHERE cancelled_at IS NULL
			UNION ALL
			SELECT train_id, id, epoch, 'arrivals', max(epoch) OVER (
				PARTITION BY train_id ORDER BY booked_at RANGE BETWEEN UNBOUNDED PRECEDING AND '5 s' PRECEDING)
			FROM bookings) AS ordered
		WHERE before > epoch`) {
		r.t.Errorf("I6: in the order of %s, the epochs of %s fall at booking %s from %s to %s",
			columns[4], columns[0], columns[1], columns[2], columns[3])
	}
	for _, columns := range servers.Query(r.t, r.postgres.Address, `
		SELECT t.id, t.epoch, b.epoch FROM trains t JOIN bookings b ON b.train_id = t.id WHERE b.epoch > t.epoch`) {
		r.t.Errorf("I6: train %s has epoch %s and a booking of %s", columns[0], columns[1], columns[2])
	}
}

// judgeList compares what admins are shown with the store.
func (r *run) judgeList(rows []stored) {
	api, err := client.New(client.Options{URL: r.balancer.URL, Token: client.FixedToken(r.admin.Token)})
	require.NoError(r.t, err)
	defer api.CloseIdleConnections()
	live := map[uuid.UUID]stored{}
	for _, row := range rows {
		if row.live {
			live[row.id] = row
		}
	}
	for _, train := range r.all {
		page, err := api.TrainBookings(r.t.Context(), train, booking.PageRequest{})
		require.NoError(r.t, err)
		for _, b := range page.Items {
			row, there := live[b.ID]
			if !there || row.user != b.User || row.train != train || !slices.Equal(row.seats, b.Seats) {
				r.t.Errorf("I5: admins are shown booking %s of seat %v, and the store has %+v", b.ID, b.Seats, row)
			}
			delete(live, b.ID)
		}
	}
	for id, row := range live {
		r.t.Errorf("I5: the store has booking %s of seats %v of %s, and admins are not shown it", id, row.seats, row.train)
	}
}

// userOf reads whose token it is.
func (r *run) userOf(token string) uuid.UUID {
	parts := strings.Split(token, ".")
	require.Len(r.t, parts, 3)
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(r.t, err)
	var claims struct {
		User uuid.UUID `json:"user_id"`
	}
	require.NoError(r.t, json.Unmarshal(text, &claims))
	return claims.User
}

// keep writes down what there is of a run that failed.
func (r *run) keep(h *history.History, v history.Verdict) {
	dir := *keep
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "trainbooking-chaos-")
		require.NoError(r.t, err)
	}
	require.NoError(r.t, os.MkdirAll(dir, 0o700))
	write := func(name string, fill func(*json.Encoder)) {
		file, err := os.Create(filepath.Join(dir, name))
		require.NoError(r.t, err)
		fill(json.NewEncoder(file))
		require.NoError(r.t, file.Close())
	}
	write("history.jsonl", func(lines *json.Encoder) {
		for _, o := range h.Operations {
			require.NoError(r.t, lines.Encode(o))
		}
	})
	write("store.json", func(text *json.Encoder) {
		require.NoError(r.t, text.Encode(map[string]any{"losses": h.Losses, "stored": h.Stored}))
	})
	for _, l := range r.logs {
		require.NoError(r.t, os.WriteFile(filepath.Join(dir, l.name), []byte(l.log.String()), 0o600))
	}
	for _, w := range v.Wrong {
		require.NoError(r.t, w.Picture(filepath.Join(dir, fmt.Sprintf("seat-%d-of-%s.html", w.Seat, w.Train))))
	}
	r.t.Logf("kept in %s: history.jsonl, store.json, the logs of the processes, a picture of each wrong seat", dir)
}
