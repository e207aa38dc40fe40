package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const (
	// defaultLeaseName is the default name of the lease that elects one operator of a service.
	defaultLeaseName = "operator.trainbooking.dev"
	// renewDeadline is how long a leader continues without renewing. The lease itself lasts
	// 15 s, the default of controller-runtime.
	renewDeadline = 10 * time.Second
	// namespaceFile contains the name of the pod's namespace.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// lease returns the lock for leader election. It records no events: they would be in the core
// API group, for which the operator has no permission.
func (s *settings) lease(config *rest.Config, logger *slog.Logger) (resourcelock.Interface, error) {
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
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, s.LeaseName,
		resourcelock.ResourceLockConfig{Identity: host + "_" + uuid.NewString()}, config, renewDeadline)
	if err != nil {
		return nil, err
	}
	return &loggingLock{Interface: lock, logger: logger}, nil
}

// loggingLock logs who holds the lease while this process does not. Otherwise an operator that stands by
// forever, because one of another service has its lease, would log nothing.
type loggingLock struct {
	resourcelock.Interface
	logger *slog.Logger
	holder string // logged last; only the goroutine of the election uses it
}

// Get is called every few seconds while another process has the lease.
func (l *loggingLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil && record.HolderIdentity != l.holder {
		l.holder = record.HolderIdentity
		if l.holder != "" && l.holder != l.Identity() {
			l.logger.Info("standing by: another operator holds the lease", "lease", l.Describe(), "holder", l.holder)
		}
	}
	return record, raw, err
}
