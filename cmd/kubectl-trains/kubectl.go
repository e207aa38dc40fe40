package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"trainbooking.dev/operator/v1alpha1"
)

// resources are the resources of a list, in its order.
type resources struct {
	trains    []*v1alpha1.Train
	schedules []*v1alpha1.TrainSchedule
}

const (
	kindTrains    = "trains.trainbooking.dev"
	kindSchedules = "trainschedules.trainbooking.dev"
)

// kubectl runs kubectl with the flags for the cluster and returns the resources that it prints. kubectl
// writes its errors to errs.
func (s *settings) kubectl(ctx context.Context, in io.Reader, errs io.Writer, args ...string) (resources, error) {
	for name, value := range map[string]string{"kubeconfig": s.Kubeconfig, "context": s.Context, "namespace": s.Namespace} {
		if value != "" {
			args = append(args, "--"+name+"="+value)
		}
	}
	command := exec.CommandContext(ctx, "kubectl", append(args, "--output=json")...) //nolint:gosec // the user's own arguments
	var out bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = in, &out, errs
	failed := command.Run()
	if errors.Is(failed, exec.ErrNotFound) {
		return resources{}, errors.New("kubectl not found in PATH")
	}
	if failed != nil {
		return resources{}, fmt.Errorf("kubectl %s failed: %w", args[0], failed)
	}
	var found resources
	if err := found.decode(out.Bytes()); err != nil {
		return resources{}, fmt.Errorf("decode the output of kubectl: %w", err)
	}
	return found, nil
}

// decode adds a resource or a list of resources. It ignores other kinds.
func (r *resources) decode(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	var head struct {
		APIVersion, Kind string
		Items            []json.RawMessage
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	ours := head.APIVersion == v1alpha1.SchemeGroupVersion.String()
	switch {
	case ours && head.Kind == "Train":
		var t v1alpha1.Train
		r.trains = append(r.trains, &t)
		return json.Unmarshal(text, &t)
	case ours && head.Kind == "TrainSchedule":
		var t v1alpha1.TrainSchedule
		r.schedules = append(r.schedules, &t)
		return json.Unmarshal(text, &t)
	case strings.HasSuffix(head.Kind, "List"):
		for _, item := range head.Items {
			if err := r.decode(item); err != nil {
				return err
			}
		}
	}
	return nil
}
