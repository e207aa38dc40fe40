//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

// conflictTime bounds the response to a request that the store contradicts: the next activation
// refuses it.
const conflictTime = 3 * time.Second

// sellByHand sells a seat that a user holds in the table of seats alone, as someone with SQL might.
// The seat is of a new train, and no request for it is in the history that is checked.
func (r *run) sellByHand() {
	r.t.Helper()
	const sold, other = 1, 2
	train := &r.admin.AddTrains(r.t, 1, other)[0]
	r.soldByHand = train.ID
	tr := traffic.New(traffic.Options{Service: r.service, Retry: time.Nanosecond})
	hold := func(c *traffic.Client, seat int) history.Operation {
		return c.Hold(context.Background(), train, train.Run(), []int{seat}, 1)
	}
	expect := func(o history.Operation, results ...history.Result) {
		assert.Contains(r.t, results, o.Result, "%s of seats %v: %s", o.Kind, o.Seats, o.Detail)
	}
	holder, another := tr.Client(0, uuid.New()), tr.Client(1, uuid.New())

	held := hold(holder, sold)
	expect(held, history.Done)
	servers.Query(r.t, r.postgres.Address, fmt.Sprintf(
		"INSERT INTO seats (train_id, seat_number, legs) VALUES ('%s', %d, %d)", uuid.UUID(train.ID), sold, train.Run()))
	confirmed := holder.Confirm(context.Background(), held)
	expect(confirmed, history.NotLocked, history.Booked)
	assert.Less(r.t, confirmed.Return-confirmed.Call, conflictTime)
	expect(hold(holder, sold), history.Booked)
	expect(hold(another, sold), history.Booked)

	held = hold(another, other)
	expect(held, history.Done)
	confirmed = another.Confirm(context.Background(), held)
	expect(confirmed, history.Done)
	expect(another.Cancel(context.Background(), confirmed), history.Done)
}

// undoSaleByHand makes the seats agree with the bookings again.
func (r *run) undoSaleByHand() {
	r.t.Helper()
	servers.Query(r.t, r.postgres.Address, fmt.Sprintf("DELETE FROM seats WHERE train_id = '%s'", uuid.UUID(r.soldByHand)))
}
