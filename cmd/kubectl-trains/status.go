package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"trainbooking.dev/operator/v1alpha1"
)

// advice is what to do about the reasons of a resource that is not Ready (docs/train.md, Conditions).
var advice = map[string]string{
	v1alpha1.ReasonPending:            "wait; if it lasts, check that the operator runs and watches this namespace",
	v1alpha1.ReasonCapacityInUse:      "wait until the seats are free, or apply the old capacity",
	v1alpha1.ReasonHasBookings:        "wait until no seat is taken, or apply the old stops",
	v1alpha1.ReasonServiceUnavailable: "wait for the next attempt; if it lasts, check that the service runs",
	v1alpha1.ReasonDeleting:           "wait until its deletionPolicy is carried out",
	v1alpha1.ReasonInvalid:            "change the spec",
}

// status prints the resources, and what is wrong with those that are not Ready.
func (s *settings) status(ctx context.Context, std stdio) error {
	args := []string{"get", kindSchedules + "," + kindTrains, "--selector=" + s.Selector}
	if s.AllNamespaces {
		args = append(args, "--all-namespaces")
	}
	found, err := s.kubectl(ctx, nil, std.err, args...)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "NAMESPACE\tNAME\tREADY\tSOLD\tSERVICE ID\tWHAT TO DO")
	for _, t := range found.schedules {
		sold := "?"
		if n := t.Status.DeparturesWithSales; n != nil {
			sold = fmt.Sprintf("%d departures", *n)
		}
		printStatus(table, "trainschedule/", t.ObjectMeta, t.Status.Conditions, sold, t.Status.ScheduleID)
	}
	for _, t := range found.trains {
		sold := "?"
		if t.Status.Booked != nil && t.Status.Capacity != nil {
			sold = fmt.Sprintf("%d of %d seats", *t.Status.Booked, *t.Status.Capacity)
		}
		printStatus(table, "train/", t.ObjectMeta, t.Status.Conditions, sold, t.Status.TrainID)
	}
	return table.Flush()
}

func printStatus(table *tabwriter.Writer, kind string, o metav1.ObjectMeta, conditions []metav1.Condition, sold, id string) {
	ready, todo := "Unknown", advice[v1alpha1.ReasonPending]
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		ready, todo = string(c.Status)+" ("+c.Reason+")", ""
		if c.Status != metav1.ConditionTrue {
			todo = advice[c.Reason] + ": " + strconv.Quote(c.Message)
		}
		if c.ObservedGeneration != 0 && c.ObservedGeneration != o.Generation {
			todo = "wait until the operator has seen the latest spec"
		}
	}
	if meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionSuspended) {
		todo = "to resume, set spec.suspend to false"
	}
	fmt.Fprintf(table, "%s\t%s%s\t%s\t%s\t%s\t%s\n", o.Namespace, kind, o.Name, ready, sold, id, todo)
}
