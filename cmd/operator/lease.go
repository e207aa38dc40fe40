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
	// leaseName is the name of the lease that elects one operator in a namespace.
	leaseName = "operator.trainbooking.dev"
	// renewDeadline is how long a leader continues without renewing. The lease itself lasts
	// 15 s, the default of controller-runtime.
	renewDeadline = 10 * time.Second
	// namespaceFile contains the name of the pod's namespace.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// lease returns the lock for leader election. It records no events: they would be in the core
// API group, for which the operator has no permission.
func (s *settings) lease(config *rest.Config) (resourcelock.Interface, error) {
	namespace := s.LeaderElectionNamespace
	if namespace == "" {
		text, err := os.ReadFile(namespaceFile)
		if err != nil {
			return nil, usageError{errors.New("outside a pod, set --leader-election-namespace or --no-leader-elect")}
		}
		namespace = strings.TrimSpace(string(text))
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("host name: %w", err)
	}
	return resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, leaseName,
		resourcelock.ResourceLockConfig{Identity: host + "_" + uuid.NewString()}, config, renewDeadline)
}
