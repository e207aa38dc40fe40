package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"trainbooking.dev/operator"
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
	p := &planner{service: service, out: std.out, now: time.Now()}
	if err := p.applied(ctx, wanted); err != nil {
		return err
	}
	if s.Prune {
		if err := p.pruned(ctx, s, wanted, std); err != nil {
			return err
		}
	}
	switch {
	case p.failed:
		return errors.New("a spec is invalid")
	case p.changes:
		return errChanges
	}
	return nil
}

func (p *planner) applied(ctx context.Context, wanted resources) error {
	for _, t := range wanted.schedules {
		planned, err := operator.PlanSchedule(ctx, p.service, t, exists(t.ObjectMeta), p.now)
		if err != nil {
			return err
		}
		p.print("trainschedule", t.ObjectMeta, planned)
	}
	for _, t := range wanted.trains {
		planned, err := operator.PlanTrain(ctx, p.service, t, exists(t.ObjectMeta), p.now)
		if err != nil {
			return err
		}
		p.print("train", t.ObjectMeta, planned)
	}
	return nil
}

// exists reports whether the resource of a dry run exists at the API server.
func exists(o metav1.ObjectMeta) bool { return o.ResourceVersion != "" }

// pruned plans the deletion of the resources of the namespace that are not wanted.
func (p *planner) pruned(ctx context.Context, s *settings, wanted resources, std stdio) error {
	found, err := s.kubectl(ctx, nil, std.err, "get", kindSchedules+","+kindTrains, "--selector="+s.Selector)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, t := range wanted.schedules {
		keep[string(t.UID)] = true
	}
	for _, t := range wanted.trains {
		keep[string(t.UID)] = true
	}
	for _, t := range found.schedules {
		if keep[string(t.UID)] {
			continue
		}
		planned, err := operator.PlanDeletedSchedule(ctx, p.service, t)
		if err != nil {
			return err
		}
		p.print("trainschedule", t.ObjectMeta, planned)
	}
	for _, t := range found.trains {
		if keep[string(t.UID)] {
			continue
		}
		planned, err := operator.PlanDeletedTrain(ctx, p.service, t)
		if err != nil {
			return err
		}
		p.print("train", t.ObjectMeta, planned)
	}
	return nil
}

func (p *planner) print(kind string, o metav1.ObjectMeta, planned operator.Plan) {
	fmt.Fprintf(p.out, "%s/%s in %s: %s\n", kind, o.Name, o.Namespace, planned.Effect)
	for _, note := range planned.Notes {
		fmt.Fprintf(p.out, "    %s\n", note)
	}
	p.failed = p.failed || planned.Effect == operator.EffectInvalid
	p.changes = p.changes || planned.Effect != operator.EffectNone
}
