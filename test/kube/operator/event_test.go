package operator_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
)

// awaitEvent waits for an event about the resource whose note contains part.
func (h *harness) awaitEvent(o client.Object, reason, part string) {
	h.t.Helper()
	var all eventsv1.EventList
	h.eventually(func(ctx context.Context) bool {
		if h.List(ctx, &all, client.InNamespace(o.GetNamespace())) != nil {
			return false
		}
		for _, e := range all.Items {
			if e.Regarding.UID == o.GetUID() && e.Reason == reason && strings.Contains(e.Note, part) {
				return true
			}
		}
		return false
	}, func() string {
		var notes []string
		for _, e := range all.Items {
			notes = append(notes, fmt.Sprintf("%s %s: %s", e.Regarding.Name, e.Reason, e.Note))
		}
		return strings.Join(notes, "\n")
	})
}

// nextSecond waits until a resource that is created now is younger than o: creation timestamps are
// in whole seconds.
func (h *harness) nextSecond(o client.Object) {
	h.t.Helper()
	h.eventually(func(context.Context) bool { return time.Now().Unix() > o.GetCreationTimestamp().Unix() }, func() string { return "" })
}

func TestNoteOfAnEventIsShortened(t *testing.T) {
	t.Parallel()
	h := newHarness(t, "--max-holds-per-user", "200")
	h.startOperator()
	train := h.await(h.create(set("capacity", 400)), ready)
	p := h.passenger()
	seats := []int{}
	for seat := 2; seat <= 400; seat += 2 {
		seats = append(seats, seat)
	}
	hold := p.Must(t, http.StatusCreated, "POST", "/v1/holds", map[string]any{"train_id": train.Status.TrainID, "seats": seats})
	p.Must(t, http.StatusOK, "POST", "/v1/holds/"+hold.HoldID+"/confirm", nil)
	h.edit(train, set("capacity", 1))
	train = h.await(train, notReady(v1alpha1.ReasonCapacityInUse))
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "2, 4, 6")
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "and 160 more")
	h.awaitEvent(train, v1alpha1.ReasonCapacityInUse, "and 160 more")
}
