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

func TestTrainGoesOnSaleAndTellsItsSales(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	require.Equal(t, []string{v1alpha1.Finalizer}, train.Finalizers)
	require.Equal(t, "Delhi", train.Status.From)
	require.Equal(t, "Mumbai", train.Status.To)
	require.Equal(t, string(train.UID)[:32]+"0000", train.Status.TrainID)
	require.Equal(t, []int32{200, 0, 0, 200}, figures(train))
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))
	require.Nil(t, conditionOf(train, v1alpha1.ConditionStalled))

	sold := r.sold(train.Status.TrainID)
	require.Equal(t, "Shatabdi Express", sold.Train.Name)
	require.True(t, sold.Train.OnSale)
	require.Equal(t, "2040-12-01T06:00:00+05:30", sold.Train.Stops[0].DepartsAt.Format(time.RFC3339), "in the offset of its place")

	p := r.passenger()
	r.book(p, train.Status.TrainID, 7)
	p.Must(t, http.StatusOK, "POST", "/train/book-ticket/", map[string]any{"train_id": train.Status.TrainID, "seat_number": 8})
	train = r.await(train, func(t *v1alpha1.Train) bool { return *t.Status.Booked == 1 && *t.Status.Held == 1 })
	require.Equal(t, []int32{200, 1, 1, 198}, figures(train))
	require.True(t, ready(train))
}

// figures are capacity, booked, held and free.
func figures(t *v1alpha1.Train) []int32 {
	s := t.Status
	return []int32{*s.Capacity, *s.Booked, *s.Held, *s.Free}
}

func TestChangeReachesTheService(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	r.edit(train, func(spec map[string]any) {
		set("name", " Deccan  Queen ")(spec)
		set("capacity", 300)(spec)
		set("onSale", false)(spec)
		route("Pune", "Lonavla", "Dadar")(spec)
	})
	train = r.await(train, ready)
	require.Equal(t, "Pune", train.Status.From)
	require.EqualValues(t, 300, *train.Status.Capacity)
	sold := r.sold(train.Status.TrainID).Train
	require.Equal(t, "Deccan  Queen", sold.Name)
	require.False(t, sold.OnSale)
	r.awaitEvent(train, v1alpha1.EventUpdated, "")
}

func TestChangeAtTheServiceIsPutBack(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	sold := *r.sold(train.Status.TrainID).Train
	sold.Name, sold.OnSale = "Another", false
	_, _, err := r.trains.PutTrain(t.Context(), sold)
	require.NoError(t, err)
	r.awaitEvent(train, v1alpha1.EventDriftCorrected, `name "Another" to "Shatabdi Express", onSale false to true`)
	require.Equal(t, "Shatabdi Express", r.sold(train.Status.TrainID).Train.Name)

	require.NoError(t, r.trains.DeleteTrain(t.Context(), sold.ID, true))
	r.awaitEvent(train, v1alpha1.EventDriftCorrected, "deleted at the service")
	require.NotNil(t, r.sold(train.Status.TrainID))
	require.True(t, ready(r.get(keyOf(train))))
}

func TestDangerousShrinkNamesTheSeatsAndIsDoneWhenTheyAreFree(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	p := r.passenger()
	bookings := []string{}
	for _, seat := range []int{150, 151, 152, 190} {
		bookings = append(bookings, r.book(p, train.Status.TrainID, seat))
	}
	r.edit(train, func(spec map[string]any) {
		set("capacity", 100)(spec)
		set("onSale", false)(spec)
		set("name", "Short")(spec)
	})
	train = r.await(train, because(v1alpha1.ReasonCapacityInUse))
	message := "The train keeps its 200 seats until these of 101 and above are free: 150-152, 190"
	require.Equal(t, message, conditionOf(train, v1alpha1.ConditionReady).Message)
	require.Equal(t, message, conditionOf(train, v1alpha1.ConditionReconciling).Message)
	require.Nil(t, conditionOf(train, v1alpha1.ConditionStalled))
	r.awaitEvent(train, v1alpha1.ReasonCapacityInUse, message)
	sold := r.sold(train.Status.TrainID).Train
	require.Equal(t, 200, sold.Capacity)
	require.False(t, sold.OnSale, "the rest of the change is made")
	require.Equal(t, "Short", sold.Name)

	for _, id := range bookings {
		p.Must(t, http.StatusNoContent, "DELETE", "/v1/bookings/"+id, nil)
	}
	train = r.await(train, ready)
	require.Equal(t, []int32{100, 0, 0, 100}, figures(train))
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))
}

func TestStopsUnderBookingsWait(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	p := r.passenger()
	id := r.book(p, train.Status.TrainID, 1)
	r.edit(train, func(spec map[string]any) {
		route("Delhi", "Agra")(spec)
		set("capacity", 250)(spec)
	})
	train = r.await(train, because(v1alpha1.ReasonHasBookings))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "1 booked, 0 held")
	require.Equal(t, "Mumbai", train.Status.To)
	require.EqualValues(t, 250, *train.Status.Capacity, "the rest of the change is made")
	p.Must(t, http.StatusNoContent, "DELETE", "/v1/bookings/"+id, nil)
	train = r.await(train, ready)
	require.Equal(t, "Agra", train.Status.To)
}

func TestWhatTheSchemaCannotRefuseStalls(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	log := r.operate().Log
	train := r.create(route("München", "MÜNCHEN")) // lowerAscii leaves them different
	train = r.await(train, because(v1alpha1.ReasonInvalid))
	stalled := conditionOf(train, v1alpha1.ConditionStalled)
	require.Equal(t, metav1.ConditionTrue, stalled.Status)
	require.Contains(t, stalled.Message, "stops[1].station is the same station as stops[0]")
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))
	require.Empty(t, train.Finalizers, "the service has never heard of it")
	require.Nil(t, r.sold(string(train.UID)[:32]+"0000"))
	require.NotContains(t, log.String(), "panic")

	r.edit(train, route("München", "Ulm"))
	train = r.await(train, ready)
	require.Nil(t, conditionOf(train, v1alpha1.ConditionStalled))
}

func TestSuspendedTrainIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	r.edit(train, func(spec map[string]any) {
		set("suspend", true)(spec)
		set("capacity", 10)(spec)
	})
	train = r.await(train, because(v1alpha1.ReasonSuspended))
	r.book(r.passenger(), train.Status.TrainID, 3)
	train = r.await(train, func(t *v1alpha1.Train) bool { return *t.Status.Booked == 1 })
	require.Equal(t, []int32{200, 1, 0, 199}, figures(train), "its figures are still told")
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))

	r.delete(train)
	train = r.await(train, because(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "spec.suspend")
	require.True(t, r.sold(train.Status.TrainID).Train.OnSale)
	r.edit(train, set("suspend", false))
	r.gone(train)
	require.False(t, r.sold(train.Status.TrainID).Train.OnSale)
}

func TestRetainedTrainIsOffSaleAndIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	first := r.await(r.createNamed("express", nil), ready)
	r.book(r.passenger(), first.Status.TrainID, 7)
	r.delete(first)
	r.gone(first)
	r.awaitEvent(first, v1alpha1.EventRetained, "The train "+first.Status.TrainID+" is retained off sale")
	sold := r.sold(first.Status.TrainID)
	require.False(t, sold.Train.OnSale)
	require.Equal(t, booking.Tally{Booked: 1, Available: 199}, sold.Tally)

	second := r.await(r.createNamed("express", nil), ready)
	require.NotEqual(t, first.Status.TrainID, second.Status.TrainID, "the same name is another train")
	require.EqualValues(t, 0, *second.Status.Booked)

	adopted := r.await(r.createNamed("again", set("trainID", first.Status.TrainID)), ready)
	require.Equal(t, first.Status.TrainID, adopted.Status.TrainID)
	require.Equal(t, []int32{200, 1, 0, 199}, figures(adopted))
	require.True(t, r.sold(first.Status.TrainID).Train.OnSale)
	r.awaitEvent(adopted, v1alpha1.EventAdopted, "onSale false to true")
}

func TestCancelledTrainIsGoneWithItsBookings(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.createNamed("express", set("deletionPolicy", "Cancel")), ready)
	p := r.passenger()
	r.book(p, train.Status.TrainID, 7)
	r.delete(train)
	r.gone(train)
	require.Nil(t, r.sold(train.Status.TrainID))
	require.Contains(t, p.Must(t, http.StatusOK, "GET", "/v1/bookings", nil).String(), `"items":[]`)
	r.awaitEvent(train, v1alpha1.EventCancelled, train.Status.TrainID)

	// An id that was deleted can be taken up too.
	again := r.await(r.createNamed("express", set("trainID", train.Status.TrainID)), ready)
	require.Equal(t, []int32{200, 0, 0, 200}, figures(again))
}

func TestYoungerOfTwoWithOneIDStallsUntilTheOlderIsGone(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	older := r.await(r.createNamed("older", set("deletionPolicy", "Cancel")), ready)
	r.nextSecond(older)
	younger := r.await(r.createNamed("younger", func(spec map[string]any) {
		set("trainID", older.Status.TrainID)(spec)
		set("name", "Younger")(spec)
		set("deletionPolicy", "Cancel")(spec)
	}), because(v1alpha1.ReasonInvalid))
	require.Contains(t, conditionOf(younger, v1alpha1.ConditionStalled).Message, r.namespace+"/older is older")
	require.Nil(t, younger.Status.Booked, "figures of a train that is not its own")
	third := r.await(r.createNamed("third", set("trainID", older.Status.TrainID)), because(v1alpha1.ReasonInvalid))
	r.delete(third)
	r.gone(third)
	require.Equal(t, "Shatabdi Express", r.sold(older.Status.TrainID).Train.Name, "deleting it leaves the other's alone")

	r.delete(older)
	r.gone(older)
	r.await(younger, ready)
	require.Equal(t, "Younger", r.sold(older.Status.TrainID).Train.Name)
}

func TestAbandonedTrainGoesAtOnceAndIsKept(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(set("deletionPolicy", "Cancel")), ready)
	r.link.Refuse()
	r.delete(train)
	train = r.await(train, because(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "Waiting for the service")
	r.patch(train, map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationAbandon: "true"}}})
	r.gone(train)
	require.True(t, r.sold(train.Status.TrainID).Train.OnSale)
	r.awaitEvent(train, v1alpha1.EventAbandoned, train.Status.TrainID)
}

func TestDeletedBeforeTheServiceHeardOfIt(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	train := r.create(nil)
	r.delete(train)
	r.gone(train) // no operator, no finalizer
	r.link.Refuse()
	r.operate()
	train = r.await(r.create(nil), because(v1alpha1.ReasonServiceUnavailable))
	r.delete(train)
	r.await(train, because(v1alpha1.ReasonDeleting))
	r.link.Join()
	r.gone(train)
	r.awaitEvent(train, v1alpha1.EventRetained, "nothing is retained")
}

func TestFinalizerThatSomebodyTookIsThereAgain(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	r.patch(train, map[string]any{"metadata": map[string]any{"finalizers": []string{"example.org/other"}}})
	r.await(train, func(t *v1alpha1.Train) bool { return len(t.Finalizers) == 2 })
}

func TestServiceThatIsDownIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	settled := r.await(r.create(nil), ready)
	r.link.Refuse()
	waiting := r.await(r.create(nil), because(v1alpha1.ReasonServiceUnavailable))
	require.Contains(t, conditionOf(waiting, v1alpha1.ConditionReady).Message, "The service cannot answer now")
	require.NotNil(t, conditionOf(waiting, v1alpha1.ConditionReconciling))
	r.edit(settled, set("capacity", 250))
	settled = r.await(settled, because(v1alpha1.ReasonServiceUnavailable))
	require.EqualValues(t, 200, *settled.Status.Capacity, "what was known last")
	r.link.Join()
	r.await(waiting, ready)
	require.EqualValues(t, 250, *r.await(settled, ready).Status.Capacity)
}

func TestTrainThatIsDeletedWhileTheServiceIsDownWaitsForIt(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	p := r.passenger()
	r.book(p, train.Status.TrainID, 7)
	r.link.Refuse()
	r.delete(train)
	waiting := r.await(train, because(v1alpha1.ReasonDeleting))
	require.Contains(t, conditionOf(waiting, v1alpha1.ConditionReady).Message, "Waiting for the service")
	r.link.Join()
	r.gone(train)
	retained := r.sold(train.Status.TrainID)
	require.False(t, retained.Train.OnSale)
	require.Equal(t, 1, retained.Booked)
}

// An operator that the API server tells nothing believes in Trains that are gone.
func TestTrainIsNotMadeAgainForOneThatIsGone(t *testing.T) {
	t.Parallel()
	r := newRail(t)
	r.operate()
	train := r.await(r.create(nil), ready)
	r.gate.silence.Lock()
	r.delete(train)
	r.patch(train, map[string]any{"metadata": map[string]any{"finalizers": []string{}}})
	r.gone(train)
	s := &stop{after: 1, reached: make(chan string, 1), killed: make(chan struct{})}
	r.gate.set(s)
	require.NoError(t, r.trains.DeleteTrain(t.Context(), r.sold(train.Status.TrainID).Train.ID, true))
	call := <-s.reached
	close(s.killed) // the answer is lost, and asked for again
	r.gate.silence.Unlock()
	require.Regexp(t, "GET /apis/.*/trains/"+train.Name, call, "what follows when the service has none")
	other := r.await(r.create(nil), ready)
	require.Nil(t, r.sold(train.Status.TrainID))
	require.NotNil(t, r.sold(other.Status.TrainID))
}
