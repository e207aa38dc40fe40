package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"trainbooking.dev/operator"
	"trainbooking.dev/operator/v1alpha1"
)

// planner prints what applying manifests does to what is sold.
type planner struct {
	service operator.PlanService
	out     io.Writer
	now     time.Time
	changes bool
	failed  bool
}

// plan gets the result of kubectl apply from a dry run of the API server, and from package operator what
// the operator would do with it.
func (s *settings) plan(ctx context.Context, std stdio) error {
	service, err := s.client()
	if err != nil {
		return err
	}
	args := []string{"apply", "--dry-run=server"}
	for _, file := range s.Files {
		args = append(args, "--filename="+file)
	}
	if s.Recursive {
		args = append(args, "--recursive")
	}
	wanted, err := s.kubectl(ctx, std.in, std.err, args...)
	if err != nil {
		return err
	}
	var unwanted resources
	if s.Prune {
		if unwanted, err = s.unwanted(ctx, wanted, std); err != nil {
			return err
		}
	}
	if err := checkSellers(wanted, unwanted); err != nil {
		return err
	}
	p := &planner{service: service, out: std.out, now: time.Now()}
	if err := p.applied(ctx, wanted); err != nil {
		return err
	}
	if err := p.pruned(ctx, unwanted); err != nil {
		return err
	}
	switch {
	case p.failed:
		return errors.New("a spec is invalid, or its effect unknown")
	case p.changes:
		return errChanges
	}
	return nil
}

// checkSellers returns an error if no service sells all resources: only one is asked.
func checkSellers(all ...resources) error {
	example, services, classes := map[operator.Seller]string{}, []operator.Seller{}, []operator.Seller{}
	add := func(kind string, o operator.Resource) {
		seller := operator.SellerOf(o)
		if _, known := example[seller]; known {
			return
		}
		example[seller] = kind + "/" + o.GetName()
		if seller.Service != "" {
			services = append(services, seller)
		} else {
			classes = append(classes, seller)
		}
	}
	for _, r := range all {
		for _, t := range r.schedules {
			add("trainschedule", t)
		}
		for _, t := range r.trains {
			add("train", t)
		}
	}
	switch {
	case len(services) > 1:
		return fmt.Errorf("%s is sold by %s and %s by %s: plan the resources of each service apart, with its --service-url",
			example[services[0]], services[0].Service, example[services[1]], services[1].Service)
	case len(classes) > 1:
		return fmt.Errorf("%s has the class %q and %s the class %q: plan the resources of each class apart, "+
			"with the --service-url of its service", example[classes[0]], classes[0].Class, example[classes[1]], classes[1].Class)
	}
	return nil
}

func (p *planner) applied(ctx context.Context, wanted resources) error {
	for _, t := range wanted.schedules {
		planned, err := operator.PlanSchedule(ctx, p.service, t, exists(t.ObjectMeta), p.now)
		if err != nil {
			return err
		}
		p.print("trainschedule", t, planned)
	}
	for _, t := range wanted.trains {
		planned, err := operator.PlanTrain(ctx, p.service, t, exists(t.ObjectMeta), p.now)
		if err != nil {
			return err
		}
		p.print("train", t, planned)
	}
	return nil
}

// exists reports whether the resource of a dry run exists at the API server.
func exists(o metav1.ObjectMeta) bool { return o.ResourceVersion != "" }

// unwanted returns the resources of the namespace that are not wanted.
func (s *settings) unwanted(ctx context.Context, wanted resources, std stdio) (unwanted resources, err error) {
	found, err := s.kubectl(ctx, nil, std.err, "get", kindSchedules+","+kindTrains, "--selector="+s.Selector)
	if err != nil {
		return resources{}, err
	}
	keep := map[types.UID]bool{}
	for _, t := range wanted.schedules {
		keep[t.UID] = true
	}
	for _, t := range wanted.trains {
		keep[t.UID] = true
	}
	unwanted.schedules = slices.DeleteFunc(found.schedules, func(t *v1alpha1.TrainSchedule) bool { return keep[t.UID] })
	unwanted.trains = slices.DeleteFunc(found.trains, func(t *v1alpha1.Train) bool { return keep[t.UID] })
	return unwanted, nil
}

// pruned plans the deletion of resources.
func (p *planner) pruned(ctx context.Context, unwanted resources) error {
	for _, t := range unwanted.schedules {
		planned, err := operator.PlanDeletedSchedule(ctx, p.service, t)
		if err != nil {
			return err
		}
		p.print("trainschedule", t, planned)
	}
	for _, t := range unwanted.trains {
		planned, err := operator.PlanDeletedTrain(ctx, p.service, t)
		if err != nil {
			return err
		}
		p.print("train", t, planned)
	}
	return nil
}

func (p *planner) print(kind string, o operator.Resource, planned operator.Plan) {
	fmt.Fprintf(p.out, "%s/%s in %s%s: %s\n", kind, o.GetName(), o.GetNamespace(), soldBy(o), planned.Effect)
	for _, note := range planned.Notes {
		fmt.Fprintf(p.out, "    %s\n", note)
	}
	p.failed = p.failed || planned.Effect == operator.EffectInvalid || planned.Effect == operator.EffectUnknown
	p.changes = p.changes || planned.Effect != operator.EffectNone
}

// soldBy returns who sells the resource, or "" if that is the service of the operator without a class.
func soldBy(o operator.Resource) string {
	switch seller := operator.SellerOf(o); {
	case seller.Service != "":
		return ", sold by " + seller.Service
	case seller.Class != "":
		return ", class " + seller.Class
	}
	return ""
}
