package actors_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"trainbooking.dev/actors"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
)

// addTrains adds trains from A to B that are proposed to a node.
func (c *virtualCluster) addTrains(count, capacity int, n *node, all ...*node) (ids []booking.TrainID) {
	c.Helper()
	for len(ids) < count {
		id := c.trainOf(n, all...)
		_, _, err := n.PutTrain(c.Context(), booking.Train{
			ID: id, Name: "Express", Capacity: capacity, OnSale: true, Stops: []booking.Stop{{Station: "X"}, {Station: "Y"}},
		})
		require.NoError(c, err)
		ids = append(ids, id)
	}
	return ids
}

// The reply of the peer is larger than the 4 MiB to which gRPC limits a message.
func TestSearchReturnsTheLargeReplyOfAPeer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ trains, seats int }{{1000, 1000}, {40, booking.MaxCapacity}} {
		t.Run(fmt.Sprintf("%d trains of %d seats", c.trains, c.seats), func(t *testing.T) {
			t.Parallel()
			onVirtualCluster(t, func(v *virtualCluster) {
				owner, asking := v.join(), v.join()
				ids := v.addTrains(c.trains, c.seats, owner, owner, asking)
				found, err := asking.Search(v.Context(), "X", "Y", time.Time{})
				require.NoError(v, err)
				require.Len(v, found.Trains, c.trains)
				for _, a := range found.Trains {
					require.Equal(v, c.seats, 1+strings.Count(a.SeatList.String(), ","))
				}
				_, err = asking.Hold(v.Context(), seat(ids[0], uuid.New(), 5))
				require.NoError(v, err, "the connection is still used")
			})
		})
	}
}

// A caller that does not say when it saw the train, or saw an earlier form of it, gets all of it.
func TestPeerSendsATrainOnlyToCallersWithAnotherForm(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, asking := c.join(), c.join()
		id := c.addTrains(1, 5, owner, owner, asking)[0]
		found, err := owner.FindTrain(c.Context(), id)
		require.NoError(c, err)
		changed := found.Train.UpdatedAt.UnixMicro()
		for _, updated := range [][]int64{nil, {0}, {changed - 1}, {changed, changed}} {
			require.Equal(c, "Express", c.query(owner, id, updated).GetTrain().GetName(), updated)
		}
		unchanged := c.query(owner, id, []int64{changed})
		require.True(c, unchanged.GetUnchanged())
		require.Empty(c, unchanged.GetTrain().GetName())
		require.Equal(c, uint32(5), unchanged.GetAvailable())

		other, err := asking.FindTrain(c.Context(), id)
		require.NoError(c, err)
		require.Equal(c, found.Train, other.Train)
	})
}

// query queries one train as a peer would.
func (c *virtualCluster) query(n *node, id booking.TrainID, updated []int64) *wire.Availability {
	c.Helper()
	stream := &queryStream{t: c.T, ctx: c.Context()}
	require.NoError(c, actors.Server(n.System).Query(&wire.QueryRequest{Trains: [][]byte{id[:]}, UpdatedAt: updated}, stream))
	require.Len(c, stream.parts, 1)
	require.Len(c, stream.parts[0].GetFound(), 1)
	return stream.parts[0].GetFound()[0]
}

func TestConcurrentSeatMapsOfTheLargestTrainArrive(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, asking := c.join(), c.join()
		id := c.addTrains(1, booking.MaxCapacity, owner, owner, asking)[0]
		h := c.hold(owner, id, 5)
		var clients sync.WaitGroup
		for range 32 {
			clients.Go(func() {
				seats, err := asking.SeatMap(c.Context(), id, "", "")
				if err != nil || len(seats) != booking.MaxCapacity || seats[h.Seats[0]-1].State != booking.SeatHeld {
					c.Errorf("%d seats: %v", len(seats), err)
				}
			})
		}
		clients.Wait()
	})
}

// Queries of different kinds that are sent in one call get their own answers.
func TestConcurrentQueriesOfAPeerAreAnswered(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, asking := c.join(), c.join()
		ids := c.addTrains(8, 10, owner, owner, asking)
		for i, id := range ids {
			c.hold(owner, id, i+1)
		}
		var clients sync.WaitGroup
		for range 20 {
			for i, id := range ids {
				clients.Go(func() {
					seats, err := asking.SeatMap(c.Context(), id, "X", "Y")
					if err != nil || seats[i].State != booking.SeatHeld {
						c.Errorf("seat %d of %v: %v", i+1, seats, err)
					}
				})
				clients.Go(func() {
					a, err := asking.FindTrain(c.Context(), id)
					if err != nil || a.Train.ID != id || a.Held != 1 || !a.SeatList.IsZero() {
						c.Errorf("%v: %v", a, err)
					}
				})
			}
			clients.Go(func() {
				found, err := asking.Search(c.Context(), "X", "Y", time.Time{})
				if err != nil || len(found.Trains) != len(ids) || found.Trains[0].SeatList.IsZero() {
					c.Errorf("%v: %v", found.Trains, err)
				}
			})
		}
		clients.Wait()
		require.Zero(c, actors.Retries(asking.System), "the peer has answered every query of a call")
		_, err := asking.SeatMap(c.Context(), ids[0], "Y", "X")
		require.Equal(c, booking.CodeInvalidRequest, booking.CodeOf(err))
	})
}

func TestAnswersNameTheirQuery(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		ids, missing := c.addTrains(2, 5, n, n), booking.NewTrainID()
		ask := func(id booking.TrainID, more ...*wire.QueryRequest) *wire.QueryRequest {
			return &wire.QueryRequest{Trains: [][]byte{id[:]}, More: more}
		}
		stream := &queryStream{t: c.T, ctx: c.Context()}
		require.NoError(c, actors.Server(n.System).Query(ask(ids[1], ask(missing), ask(ids[0])), stream))
		require.Len(c, stream.parts, 3)
		require.Equal(c, ids[1][:], stream.parts[0].GetFound()[0].GetTrain().GetId())
		require.Equal(c, [][]byte{missing[:]}, stream.parts[1].GetUnread())
		require.Equal(c, ids[0][:], stream.parts[2].GetFound()[0].GetTrain().GetId())
		for i, part := range stream.parts {
			require.EqualValues(c, i, part.GetQuery())
		}
	})
}

// A process of the next version sends fields, commands and updates that this version does not
// know, and this version sends what an older one does not know.
func TestProcessesWithDifferentMessagesServeTogether(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		id := c.trainOf(n, n)
		server := actors.Server(n.System)
		unknown := protowire.AppendTag(nil, 999, protowire.BytesType)
		unknown = protowire.AppendString(unknown, "of the next version")
		next := func(m proto.Message) { m.ProtoReflect().SetUnknown(unknown) }

		h := &wire.Hold{User: user[:], Seats: []uint32{5}}
		q := &wire.ExecuteRequest{Train: id[:], Arrived: time.Now().UnixMicro(), Command: &wire.ExecuteRequest_Hold{Hold: h}}
		next(q)
		next(h)
		resp, err := server.Execute(c.Context(), q)
		require.NoError(c, err)
		require.Equal(c, []uint32{5}, resp.GetHeld().GetSeats(), "unknown fields are ignored")
		next(resp)
		_, err = actors.DecodeResponse(resp)
		require.NoError(c, err)

		command := &wire.ExecuteRequest{Train: id[:], Arrived: time.Now().UnixMicro()}
		next(command)
		resp, err = server.Execute(c.Context(), command)
		require.NoError(c, err)
		require.True(c, resp.GetRetry() && !resp.GetLost(), "an unknown command is not executed")

		refresh := &wire.RefreshCatalogueRequest{}
		next(refresh)
		_, err = server.RefreshCatalogue(c.Context(), refresh)
		require.NoError(c, err)
	})
}

// The number has the low 32 bits of a valid one.
func TestImpossibleSeatNumberIsRefusedByAPeerToo(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, asking := c.join(), c.join()
		id := c.trainOf(owner, owner, asking)
		const impossible = 1<<32 + 5
		for _, n := range []*node{owner, asking} {
			_, err := n.Hold(c.Context(), seat(id, uuid.New(), impossible))
			require.Equal(c, booking.CodeInvalidRequest, booking.CodeOf(err))
			_, err = n.Hold(c.Context(), booking.HoldRequest{Train: id, User: uuid.New(), Count: impossible})
			require.Equal(c, booking.CodeInvalidRequest, booking.CodeOf(err))
		}
	})
}

func TestTrainIsTheSameAfterACall(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 1, 6, 0, 0, 123, time.FixedZone("", 19800))
	train := booking.Train{
		ID: booking.NewTrainID(), Name: "Rajdhani", Capacity: booking.MaxCapacity, OnSale: true,
		Stops:       []booking.Stop{{Station: "Delhi", DepartsAt: at}, {Station: "Mumbai", ArrivesAt: at.Add(time.Hour).UTC()}},
		SalesOpenAt: time.Date(2026, 1, 2, 3, 4, 5, 8000, time.UTC),
		CreatedAt:   time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 7000, time.UTC),
	}
	encoded, err := proto.Marshal(actors.EncodeTrain(&train))
	require.NoError(t, err)
	decoded := &wire.Train{}
	require.NoError(t, proto.Unmarshal(encoded, decoded))
	again := actors.DecodeTrain(decoded)
	require.True(t, train.Same(again))
	require.Equal(t, train.CreatedAt, again.CreatedAt)
	require.Equal(t, train.UpdatedAt, again.UpdatedAt)
	_, offset := again.Stops[0].DepartsAt.Zone()
	require.Equal(t, 19800, offset)
	require.Equal(t, train.Stops[0].DepartsAt.UnixNano(), again.Stops[0].DepartsAt.UnixNano())
}

func TestErrorIsTheSameAfterACall(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 1, 6, 0, 0, 1000, time.UTC)
	sent := &booking.Error{
		Code: booking.CodeNotOnSale, Message: "This train is not on sale yet", Fields: map[string]string{"a": "b"}, Seats: []int{3},
		BecomesFreeAt: at, ExpiredAt: at.Add(time.Second), SalesOpenAt: at.Add(time.Hour), Available: 4,
		RetryAfter: time.Second, Outcome: booking.OutcomeNotExecuted,
	}
	_, err := actors.DecodeResponse(&wire.ExecuteResponse{Error: actors.EncodeError(sent)})
	require.Equal(t, sent, err)
}
