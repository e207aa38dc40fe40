package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const (
	// leaseName is that of the lease by which the operators of a namespace agree on one.
	leaseName = "operator.trainbooking.dev"
	// renewDeadline is how long a leader that cannot renew goes on; the lease itself lasts
	// 15 s, as controller-runtime has it.
	renewDeadline = 10 * time.Second
	// ownNamespace is where a pod finds the name of its namespace.
	ownNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// lease returns the lock. It records no events: they would be of the old kind, which the
// operator has no right to make.
func (s *settings) lease(config *rest.Config) (resourcelock.Interface, error) {
	namespace := s.LeaderElectionNamespace
	if namespace == "" {
		text, err := os.ReadFile(ownNamespace)
		if err != nil {
			return nil, usageError{errors.New("--leader-election-namespace is needed outside of a pod, or --no-leader-elect")}
		}
		namespace = strings.TrimSpace(string(text))
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("who am I: %w", err)
	}
	return resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, leaseName,
		resourcelock.ResourceLockConfig{Identity: host + "_" + uuid.NewString()}, config, renewDeadline)
}
