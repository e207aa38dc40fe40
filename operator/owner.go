package operator

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// An id at the service belongs to the oldest resource of the service that has it. A TrainSchedule also has the ids of
// its departures, which a Train can name.

// indexID is the name of the cache's index by the keys of idKeys.
const indexID = "id"

// idKeys returns the id of a resource. That of a Train is followed by the id of the schedule whose
// departure the train is, if there is such a schedule. It returns nothing for an id that is not valid.
func idKeys(o client.Object) []string {
	id, err := idOf(o)
	if err != nil {
		return nil
	}
	keys := []string{id.String()}
	if _, ok := o.(*v1alpha1.Train); ok {
		if schedule, _, ok := booking.TrainID(id).Schedule(); ok {
			keys = append(keys, schedule.String())
		}
	}
	return keys
}

// sharingID returns the other resources, of both kinds, that have an id of o.
func sharingID(ctx context.Context, cache client.Reader, o client.Object) (others []client.Object, err error) {
	keys := idKeys(o)
	if len(keys) == 0 {
		return nil, nil
	}
	var trains v1alpha1.TrainList
	if err := cache.List(ctx, &trains, client.MatchingFields{indexID: keys[0]}); err != nil {
		return nil, fmt.Errorf("list the Trains with id %s: %w", keys[0], err)
	}
	var schedules v1alpha1.TrainScheduleList
	if err := cache.List(ctx, &schedules, client.MatchingFields{indexID: keys[len(keys)-1]}); err != nil {
		return nil, fmt.Errorf("list the TrainSchedules with id %s: %w", keys[len(keys)-1], err)
	}
	add := func(other client.Object) {
		if other.GetUID() != o.GetUID() {
			others = append(others, other)
		}
	}
	for i := range trains.Items {
		add(&trains.Items[i])
	}
	for i := range schedules.Items {
		add(&schedules.Items[i])
	}
	return others, nil
}

// conflict returns what to do about an older resource that owns an id of o, the oldest one, or "" if o owns
// it. Another service may have the same id.
func (i identity) conflict(ctx context.Context, cache client.Reader, o client.Object) (string, error) {
	others, err := sharingID(ctx, cache, o)
	if err != nil {
		return "", err
	}
	owner := o
	for _, other := range others {
		if i.sells(other) && older(other, owner) {
			owner = other
		}
	}
	if owner == o {
		return "", nil
	}
	return describeConflict(o, owner), nil
}

func describeConflict(o, owner client.Object) string {
	name := owner.GetNamespace() + "/" + owner.GetName()
	_, isTrain := o.(*v1alpha1.Train)
	switch _, ofTrain := owner.(*v1alpha1.Train); {
	case isTrain && ofTrain:
		return "Train " + name + " is older and has the same trainID: delete one of them"
	case isTrain:
		return "TrainSchedule " + name + " is older and the train is one of its departures: delete one of them"
	case ofTrain:
		return "Train " + name + " is older and has the id of a departure of this schedule: delete one of them"
	}
	return "TrainSchedule " + name + " is older and has the same scheduleID: delete one of them"
}

// older reports whether a was created before b and so owns an id that both have. Of two resources
// created in the same second, the one with the lower UID counts as older.
func older(a, b client.Object) bool {
	created := b.GetCreationTimestamp()
	age := new(a.GetCreationTimestamp()).Compare(created.Time)
	return age < 0 || age == 0 && a.GetUID() < b.GetUID()
}

// sharing returns requests for the other resources of this kind that have an id of o, whose owner may
// have changed.
func (r *Reconciler[R, W, F]) sharing(ctx context.Context, o client.Object) (requests []reconcile.Request) {
	others, err := sharingID(ctx, r, o)
	if err != nil {
		return nil // the cache is closing
	}
	for _, other := range others {
		if _, ours := other.(R); ours {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		}
	}
	return requests
}
