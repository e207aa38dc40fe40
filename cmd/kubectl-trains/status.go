package main

import (
	"cmp"
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
	v1alpha1.ReasonPending:            "wait; if it lasts, check that an operator of its class runs and watches this namespace",
	v1alpha1.ReasonCapacityInUse:      "wait until the seats are free, or apply the old capacity",
	v1alpha1.ReasonHasBookings:        "wait until no seat is taken, or apply the old stops",
	v1alpha1.ReasonServiceUnavailable: "wait for the next attempt; if it lasts, check that the service runs",
	v1alpha1.ReasonDeleting:           "wait until its deletionPolicy is carried out",
	v1alpha1.ReasonInvalid:            "change the spec",
	v1alpha1.ReasonOtherService:       "give it another spec.class, or hand it over if its service is gone",
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
	fmt.Fprintln(table, "NAMESPACE\tNAME\tREADY\tSOLD\tID\tCLASS\tSERVICE\tWHAT TO DO")
	for _, t := range found.schedules {
		sold := "?"
		if n := t.Status.DeparturesWithSales; n != nil {
			sold = fmt.Sprintf("%d departures", *n)
		}
		printStatus(table, "trainschedule/"+t.Name, t.Namespace, ready(t.Status.Conditions), sold, t.Status.ScheduleID,
			t.Spec.Class, t.Status.Service, todo(t.Generation, t.Status.Conditions))
	}
	for _, t := range found.trains {
		sold := "?"
		if t.Status.Booked != nil && t.Status.Capacity != nil {
			sold = fmt.Sprintf("%d of %d seats", *t.Status.Booked, *t.Status.Capacity)
		}
		printStatus(table, "train/"+t.Name, t.Namespace, ready(t.Status.Conditions), sold, t.Status.TrainID,
			t.Spec.Class, t.Status.Service, todo(t.Generation, t.Status.Conditions))
	}
	return table.Flush()
}

// printStatus prints a line, with "-" for what is absent.
func printStatus(table *tabwriter.Writer, name, namespace string, columns ...string) {
	fmt.Fprintf(table, "%s\t%s", namespace, name)
	for _, column := range columns[:len(columns)-1] {
		fmt.Fprint(table, "\t", cmp.Or(column, "-"))
	}
	fmt.Fprintln(table, "\t"+columns[len(columns)-1])
}

func ready(conditions []metav1.Condition) string {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if c == nil {
		return "Unknown"
	}
	return string(c.Status) + " (" + c.Reason + ")"
}

// todo returns what to do about a resource of that generation, or "". The mark of another operator comes first:
// it stays whatever the owner does.
func todo(generation int64, conditions []metav1.Condition) string {
	stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
	if stalled != nil && stalled.Status == metav1.ConditionTrue {
		return advise(stalled)
	}
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case c == nil:
		return advice[v1alpha1.ReasonPending]
	case c.ObservedGeneration != 0 && c.ObservedGeneration != generation:
		return "wait until the operator has seen the latest spec; if it lasts, check that the operator of its service runs"
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionSuspended):
		return "to resume, set spec.suspend to false"
	case c.Status != metav1.ConditionTrue:
		return advise(c)
	}
	return ""
}

func advise(c *metav1.Condition) string { return advice[c.Reason] + ": " + strconv.Quote(c.Message) }
