package operator_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

func TestTrainGoesOnSaleAndReportsItsSales(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	require.Equal(t, []string{v1alpha1.Finalizer}, train.Finalizers)
	require.Equal(t, "Delhi", train.Status.From)
	require.Equal(t, "Mumbai", train.Status.To)
	require.Equal(t, string(train.UID)[:32]+"0000", train.Status.TrainID)
	require.Equal(t, []int32{200, 0, 0, 200}, figures(train))
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))
	require.Nil(t, conditionOf(train, v1alpha1.ConditionStalled))

	sold := h.find(train.Status.TrainID)
	require.Equal(t, "Shatabdi Express", sold.Train.Name)
	require.True(t, sold.Train.OnSale)
	require.Equal(t, "2040-12-01T06:00:00+05:30", sold.Train.Stops[0].DepartsAt.Format(time.RFC3339), "with its UTC offset")

	p := h.passenger()
	h.book(p, train.Status.TrainID, 7)
	p.MustLock(t, http.StatusOK, train.Status.TrainID, 8)
	train = h.await(train, func(t *v1alpha1.Train) bool { return *t.Status.Booked == 1 && *t.Status.Held == 1 })
	require.Equal(t, []int32{200, 1, 1, 198}, figures(train))
	require.True(t, ready(train))
}

// figures returns capacity, booked, held and free.
func figures(t *v1alpha1.Train) []int32 {
	s := t.Status
	return []int32{*s.Capacity, *s.Booked, *s.Held, *s.Free}
}

func TestChangeReachesTheService(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	h.edit(train, func(spec map[string]any) {
		set("name", " Deccan  Queen ")(spec)
		set("capacity", 300)(spec)
		set("onSale", false)(spec)
		set("salesOpenAt", "2040-11-01T06:00:00.0000001+05:30")(spec)
		route("Pune", "Lonavla", "Dadar")(spec)
	})
	train = h.await(train, ready)
	require.Equal(t, "Pune", train.Status.From)
	require.EqualValues(t, 300, *train.Status.Capacity)
	sold := h.find(train.Status.TrainID).Train
	require.Equal(t, "Deccan  Queen", sold.Name)
	require.False(t, sold.OnSale)
	require.Equal(t, time.Date(2040, 11, 1, 0, 30, 0, 0, time.UTC), sold.SalesOpenAt)
	h.awaitEvent(train, v1alpha1.EventUpdated, "")
}

func TestDriftIsCorrected(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	sold := *h.find(train.Status.TrainID).Train
	sold.Name, sold.OnSale, sold.SalesOpenAt = "Another", false, time.Now().Add(time.Hour)
	_, _, err := h.trains.PutTrain(t.Context(), sold)
	require.NoError(t, err)
	h.awaitEvent(train, v1alpha1.EventDriftCorrected, `name "Another" to "Shatabdi Express", onSale false to true, salesOpenAt`)
	require.Equal(t, "Shatabdi Express", h.find(train.Status.TrainID).Train.Name)

	require.NoError(t, h.trains.DeleteTrain(t.Context(), sold.ID, true))
	h.awaitEvent(train, v1alpha1.EventDriftCorrected, "deleted at the service")
	require.NotNil(t, h.find(train.Status.TrainID))
	require.True(t, ready(h.get(keyOf(train))))
}

func TestShrinkNamesTheSeatsInUseAndCompletesWhenTheyAreFree(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	p := h.passenger()
	bookings := []string{}
	for _, seat := range []int{150, 151, 152, 190} {
		bookings = append(bookings, h.book(p, train.Status.TrainID, seat))
	}
	h.edit(train, func(spec map[string]any) {
		set("capacity", 100)(spec)
		set("onSale", false)(spec)
		set("name", "Short")(spec)
	})
	train = h.await(train, notReady(v1alpha1.ReasonCapacityInUse))
	message := "The train keeps its 200 seats until these of 101 and above are free: 150-152, 190"
	require.Equal(t, message, conditionOf(train, v1alpha1.ConditionReady).Message)
	require.Equal(t, message, conditionOf(train, v1alpha1.ConditionReconciling).Message)
	require.Nil(t, conditionOf(train, v1alpha1.ConditionStalled))
	h.awaitEvent(train, v1alpha1.ReasonCapacityInUse, message)
	sold := h.find(train.Status.TrainID).Train
	require.Equal(t, 200, sold.Capacity)
	require.False(t, sold.OnSale, "the rest of the change is made")
	require.Equal(t, "Short", sold.Name)

	for _, id := range bookings {
		p.Must(t, http.StatusNoContent, "DELETE", "/v1/bookings/"+id, nil)
	}
	train = h.await(train, ready)
	require.Equal(t, []int32{100, 0, 0, 100}, figures(train))
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))
}

func TestStopsChangeWhenNoSeatIsBooked(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	p := h.passenger()
	id := h.book(p, train.Status.TrainID, 1)
	h.edit(train, func(spec map[string]any) {
		route("Delhi", "Agra")(spec)
		set("capacity", 250)(spec)
	})
	train = h.await(train, notReady(v1alpha1.ReasonHasBookings))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "1 booked, 0 held")
	require.Equal(t, "Mumbai", train.Status.To)
	require.EqualValues(t, 250, *train.Status.Capacity, "the rest of the change is made")
	p.Must(t, http.StatusNoContent, "DELETE", "/v1/bookings/"+id, nil)
	train = h.await(train, ready)
	require.Equal(t, "Agra", train.Status.To)
}

func TestSpecThatOnlyTheServiceRejectsStalls(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	log := h.startOperator().Log
	train := h.create(route("München", "MÜNCHEN")) // lowerAscii leaves them different
	train = h.await(train, notReady(v1alpha1.ReasonInvalid))
	stalled := conditionOf(train, v1alpha1.ConditionStalled)
	require.Equal(t, metav1.ConditionTrue, stalled.Status)
	require.Contains(t, stalled.Message, "stops[1].station is the same station as stops[0]")
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))
	require.Empty(t, train.Finalizers, "nothing was created at the service")
	require.Nil(t, h.find(string(train.UID)[:32]+"0000"))
	require.NotContains(t, log.String(), "panic")

	h.edit(train, route("München", "Ulm"))
	train = h.await(train, ready)
	require.Nil(t, conditionOf(train, v1alpha1.ConditionStalled))
}

func TestSuspendedTrainIsNotChanged(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	h.edit(train, func(spec map[string]any) {
		set("suspend", true)(spec)
		set("capacity", 10)(spec)
	})
	train = h.await(train, suspended[*v1alpha1.Train])
	require.True(t, isReady(train), "it stays as it was, so that nobody waits for it")
	h.book(h.passenger(), train.Status.TrainID, 3)
	train = h.await(train, func(t *v1alpha1.Train) bool { return *t.Status.Booked == 1 })
	require.Equal(t, []int32{200, 1, 0, 199}, figures(train), "the status still follows sales")
	require.EqualValues(t, 200, h.find(train.Status.TrainID).Train.Capacity)
	h.awaitEvent(train, v1alpha1.ReasonSuspended, "while spec.suspend is true")

	h.delete(train)
	train = h.await(train, notReady(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "spec.suspend")
	require.True(t, h.find(train.Status.TrainID).Train.OnSale)
	h.edit(train, set("suspend", false))
	h.awaitDeleted(train)
	require.False(t, h.find(train.Status.TrainID).Train.OnSale)
}

func TestRetainedTrainIsOffSaleAndCanBeAdopted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	first := h.await(h.createNamed("express", nil), ready)
	h.book(h.passenger(), first.Status.TrainID, 7)
	h.delete(first)
	h.awaitDeleted(first)
	h.awaitEvent(first, v1alpha1.EventRetained, "The train "+first.Status.TrainID+" is retained off sale")
	sold := h.find(first.Status.TrainID)
	require.False(t, sold.Train.OnSale)
	require.Equal(t, booking.Tally{Booked: 1, Available: 199}, sold.Tally)

	second := h.await(h.createNamed("express", nil), ready)
	require.NotEqual(t, first.Status.TrainID, second.Status.TrainID, "the same name is a different train")
	require.EqualValues(t, 0, *second.Status.Booked)

	adopted := h.await(h.createNamed("again", set("trainID", first.Status.TrainID)), ready)
	require.Equal(t, first.Status.TrainID, adopted.Status.TrainID)
	require.Equal(t, []int32{200, 1, 0, 199}, figures(adopted))
	require.True(t, h.find(first.Status.TrainID).Train.OnSale)
	h.awaitEvent(adopted, v1alpha1.EventAdopted, "onSale false to true")
}

func TestCancelledTrainIsDeletedWithItsBookings(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.createNamed("express", set("deletionPolicy", "Cancel")), ready)
	p := h.passenger()
	h.book(p, train.Status.TrainID, 7)
	h.delete(train)
	h.awaitDeleted(train)
	require.Nil(t, h.find(train.Status.TrainID))
	require.Contains(t, p.Must(t, http.StatusOK, "GET", "/v1/bookings", nil).String(), `"items":[]`)
	h.awaitEvent(train, v1alpha1.EventCancelled, train.Status.TrainID)

	// The id of a deleted train can be used again.
	again := h.await(h.createNamed("express", set("trainID", train.Status.TrainID)), ready)
	require.Equal(t, []int32{200, 0, 0, 200}, figures(again))
}

func TestYoungerOfTwoWithOneIDStallsUntilTheOlderIsDeleted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	older := h.await(h.createNamed("older", set("deletionPolicy", "Cancel")), ready)
	h.nextSecond(older)
	younger := h.await(h.createNamed("younger", func(spec map[string]any) {
		set("trainID", older.Status.TrainID)(spec)
		set("name", "Younger")(spec)
		set("deletionPolicy", "Cancel")(spec)
	}), notReady(v1alpha1.ReasonInvalid))
	require.Contains(t, conditionOf(younger, v1alpha1.ConditionStalled).Message, h.namespace+"/older is older")
	require.Nil(t, younger.Status.Booked, "figures of a train that is not its own")
	third := h.await(h.createNamed("third", set("trainID", older.Status.TrainID)), notReady(v1alpha1.ReasonInvalid))
	h.delete(third)
	h.awaitDeleted(third)
	require.Equal(t, "Shatabdi Express", h.find(older.Status.TrainID).Train.Name, "deleting it does not change the train")

	h.delete(older)
	h.awaitDeleted(older)
	h.await(younger, ready)
	require.Equal(t, "Younger", h.find(older.Status.TrainID).Train.Name)
}

func TestAbandonedTrainIsDeletedAtOnceAndStaysAtTheService(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(set("deletionPolicy", "Cancel")), ready)
	h.link.Refuse()
	h.delete(train)
	train = h.await(train, notReady(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "Waiting for the service")
	h.patch(train, map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationAbandon: "true"}}})
	h.awaitDeleted(train)
	require.True(t, h.find(train.Status.TrainID).Train.OnSale)
	h.awaitEvent(train, v1alpha1.EventAbandoned, train.Status.TrainID)
}

func TestTrainThatTheServiceNeverHadCanBeDeleted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	train := h.create(nil)
	h.delete(train)
	h.awaitDeleted(train) // no operator, no finalizer
	h.link.Refuse()
	h.startOperator()
	train = h.await(h.create(nil), notReady(v1alpha1.ReasonServiceUnavailable))
	h.delete(train)
	h.await(train, notReady(v1alpha1.ReasonDeleting))
	h.link.Restore()
	h.awaitDeleted(train)
	h.awaitEvent(train, v1alpha1.EventRetained, "nothing is retained")
}

func TestRemovedFinalizerIsAddedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	h.patch(train, map[string]any{"metadata": map[string]any{"finalizers": []string{"example.org/other"}}})
	h.await(train, func(t *v1alpha1.Train) bool { return len(t.Finalizers) == 2 })
}

func TestTrainsAreReconciledWhenTheServiceIsBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	settled := h.await(h.create(nil), ready)
	h.link.Refuse()
	waiting := h.await(h.create(nil), notReady(v1alpha1.ReasonServiceUnavailable))
	require.Contains(t, conditionOf(waiting, v1alpha1.ConditionReady).Message, "The service is unavailable")
	require.NotNil(t, conditionOf(waiting, v1alpha1.ConditionReconciling))
	h.edit(settled, set("capacity", 250))
	settled = h.await(settled, notReady(v1alpha1.ReasonServiceUnavailable))
	require.EqualValues(t, 200, *settled.Status.Capacity, "the last known figure")
	h.link.Restore()
	h.await(waiting, ready)
	require.EqualValues(t, 250, *h.await(settled, ready).Status.Capacity)
}

func TestTrainThatIsDeletedWhileTheServiceIsDownWaitsForIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	p := h.passenger()
	h.book(p, train.Status.TrainID, 7)
	h.link.Refuse()
	h.delete(train)
	waiting := h.await(train, notReady(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(waiting, v1alpha1.ConditionReady).Message, "Waiting for the service")
	h.link.Restore()
	h.awaitDeleted(train)
	retained := h.find(train.Status.TrainID)
	require.False(t, retained.Train.OnSale)
	require.Equal(t, 1, retained.Booked)
}

// The operator's cache still contains the deleted Train while watches are blocked.
func TestTrainIsNotCreatedAgainForADeletedResource(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	id := h.find(train.Status.TrainID).Train.ID
	require.NoError(t, h.trains.DeleteTrain(t.Context(), id, true))
	h.awaitEvent(train, v1alpha1.EventDriftCorrected, "deleted at the service") // the cache has the Train as Ready
	h.proxy.watches.Lock()
	h.delete(train)
	h.patch(train, map[string]any{"metadata": map[string]any{"finalizers": []string{}}})
	h.awaitDeleted(train)
	b := &breakpoint{after: 1, reached: make(chan string, 1), killed: make(chan struct{})}
	h.proxy.set(b)
	require.NoError(t, h.trains.DeleteTrain(t.Context(), id, true))
	request := <-b.reached
	close(b.killed) // the operator sends the request again
	h.proxy.watches.Unlock()
	require.Regexp(t, "GET /apis/.*/trains/"+train.Name, request, "the operator must read the Train from the API server before it creates a train")
	other := h.await(h.create(nil), ready)
	require.Nil(t, h.find(train.Status.TrainID))
	require.NotNil(t, h.find(other.Status.TrainID))
}
