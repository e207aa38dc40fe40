package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"trainbooking.dev/operator"
	"trainbooking.dev/operator/v1alpha1"
)

// run runs the operator until ctx is done.
func (s *settings) run(ctx context.Context) error {
	logger := s.logger()
	setLoggers(logger)
	service, err := s.client()
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("load the kubeconfig: %w", err)
	}
	options := s.managerOptions()
	if s.LeaderElect {
		if options.LeaderElectionResourceLockInterface, err = s.lease(config, logger); err != nil {
			return err
		}
	}
	m, err := ctrl.NewManager(config, options)
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	if err := operator.Setup(ctx, m, service, operator.Options{
		Service: s.ServiceName, Class: s.Class, Resync: s.Resync,
	}); err != nil {
		return err
	}
	if err := addChecks(m); err != nil {
		return err
	}
	logger.Info("watching", "service", s.ServiceURL, "name", s.ServiceName, "class", s.Class, "namespaces", s.WatchNamespaces, "version", version)
	if err := m.Start(ctx); err != nil {
		return err
	}
	logger.Info("stopped")
	return nil
}

func (s *settings) managerOptions() manager.Options {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // the types are compiled in
		}
	}
	namespaces := map[string]cache.Config{}
	for _, name := range s.WatchNamespaces {
		namespaces[name] = cache.Config{}
	}
	return manager.Options{
		Scheme:                        scheme,
		Cache:                         cache.Options{DefaultNamespaces: namespaces, DefaultTransform: cache.TransformStripManagedFields()},
		LeaderElection:                s.LeaderElect,
		RenewDeadline:                 new(renewDeadline),
		LeaderElectionReleaseOnCancel: true, // the process ends with the manager
		HealthProbeBindAddress:        s.HealthListen,
		Metrics: server.Options{
			BindAddress: s.MetricsListen, SecureServing: true,
			FilterProvider: filters.WithAuthenticationAndAuthorization,
		},
	}
}

// addChecks adds /healthz, which passes while the process runs, and /readyz, which passes once
// the cache of resources is synced, on the leader and on standbys.
func addChecks(m manager.Manager) error {
	if err := m.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	return m.AddReadyzCheck("trains", func(request *http.Request) error {
		if !m.GetCache().WaitForCacheSync(request.Context()) {
			return errors.New("the cache is not synced yet")
		}
		return nil
	})
}
