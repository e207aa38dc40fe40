package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// Effect is what the operator does at the service because of a resource.
type Effect string

// The effects.
const (
	EffectNone    Effect = "unchanged"
	EffectCreate  Effect = "created"
	EffectChange  Effect = "changed"
	EffectRefused Effect = "refused" // the service would refuse every change, because of seats in use
	EffectDelete  Effect = "deleted"
	EffectInvalid Effect = "invalid"
	EffectUnknown Effect = "unknown" // the service that was asked does not seem to be the owner
)

// PlanService is what a Plan reads. api/client implements it.
type PlanService interface {
	Service
	SeatMap(ctx context.Context, id booking.TrainID, from, to string) ([]booking.Seat, error)
}

// Plan is what the operator will do with a resource if the service's state does not change before, for
// example by a sale or a cancellation.
type Plan struct {
	Effect Effect
	Notes  []string // the consequences for bookings and holds
}

func plan(effect Effect, notes ...string) Plan { return Plan{Effect: effect, Notes: notes} }

const planSuspended = "spec.suspend is true: the operator changes nothing"

// PlanTrain returns what the operator will do with a Train once it has this spec. It applies the rules of
// package booking to the service's state, and changes nothing. A resource that does not exist yet has no
// UID, so its id is unknown unless the spec has it.
func PlanTrain(ctx context.Context, service PlanService, t *v1alpha1.Train, exists bool, now time.Time) (Plan, error) {
	want, err := trains{}.wanted(t)
	if err != nil {
		return plan(EffectInvalid, describe(err)), nil
	}
	if t.Spec.Suspend {
		return plan(EffectNone, planSuspended), nil
	}
	if last, is := (trains{}).departed(t, &want, now); is {
		return plan(EffectNone, "it has departed, at "+last.Format(time.RFC3339)), nil
	}
	var found *booking.Availability
	if exists || t.Spec.TrainID != "" {
		if found, err = (trains{service: service}).find(ctx, uuid.UUID(want.ID)); err != nil {
			return Plan{}, err
		}
	}
	if found == nil && soldElsewhere(t) {
		return planElsewhere(t), nil
	}
	if found == nil {
		return plan(EffectCreate, fmt.Sprintf("%d seats", want.Capacity)), nil
	}
	return planTrainChange(ctx, service, &want, found)
}

func planTrainChange(
	ctx context.Context, service PlanService, want *booking.Train, found *booking.Availability,
) (Plan, error) {
	if err := want.CheckNames(found.Train); err != nil {
		return plan(EffectInvalid, describe(err)), nil
	}
	if want.Same(found.Train) {
		return plan(EffectNone), nil
	}
	taken, err := takenSeats(ctx, service, found)
	if err != nil {
		return Plan{}, err
	}
	var notes []string
	for refusal := refusalOf(want, found, taken); refusal != nil; refusal = refusalOf(want, found, taken) {
		e, reverted := trains{}.revert(want, found, refusal)
		if !reverted {
			return Plan{}, refusal
		}
		notes = append(notes, e.Message)
	}
	if want.Same(found.Train) {
		return plan(EffectRefused, notes...), nil
	}
	notes = append([]string{trains{}.difference(found, want)}, notes...)
	if found.Train.OnSale && !want.OnSale {
		notes = append(notes, fmt.Sprintf("sales stop; %d booked seats stay booked", found.Booked))
	}
	return plan(EffectChange, notes...), nil
}

// refusalOf returns the error with which the service refuses a part of the change, as
// booking.SeatMap.CheckChange does, or nil.
func refusalOf(want *booking.Train, found *booking.Availability, taken []int) error {
	highest := highestOf(taken)
	switch {
	case !highest.AllowsCapacity(want.Capacity):
		return &booking.Error{Code: booking.CodeCapacityInUse, Seats: above(taken, want.Capacity)}
	case !highest.AllowsStations(found.Train, want):
		return &booking.Error{Code: booking.CodeHasBookings}
	}
	return nil
}

// takenSeats returns the numbers of the seats that are booked or held, ascending.
func takenSeats(ctx context.Context, service PlanService, a *booking.Availability) (taken []int, err error) {
	if a.Booked+a.Held == 0 {
		return nil, nil
	}
	seats, err := service.SeatMap(ctx, a.Train.ID, "", "")
	if err != nil {
		return nil, err
	}
	for _, seat := range seats {
		if seat.State != booking.SeatAvailable {
			taken = append(taken, seat.Number)
		}
	}
	return taken, nil
}

func highestOf(taken []int) booking.Taken {
	if len(taken) == 0 {
		return 0
	}
	return booking.Taken(taken[len(taken)-1])
}

func above(numbers []int, limit int) (above []int) {
	for _, n := range numbers {
		if n > limit {
			above = append(above, n)
		}
	}
	return above
}

// PlanDeletedTrain returns what the operator will do when the Train is deleted.
func PlanDeletedTrain(ctx context.Context, service PlanService, t *v1alpha1.Train) (Plan, error) {
	id, err := trainID(t)
	if err != nil {
		return plan(EffectInvalid, err.Error()), nil
	}
	found, err := trains{service: service}.find(ctx, uuid.UUID(id))
	switch {
	case err != nil:
		return Plan{}, err
	case found == nil && soldElsewhere(t):
		return planElsewhere(t), nil
	case found == nil:
		return plan(EffectDelete, "the service does not have it"), nil
	case t.Spec.DeletionPolicy == v1alpha1.DeletionCancel:
		return plan(EffectDelete, fmt.Sprintf("%d booked seats are cancelled, %d held ones released", found.Booked, found.Held)), nil
	}
	return plan(EffectDelete, fmt.Sprintf("the service keeps the train off sale, with %d booked seats", found.Booked)), nil
}
