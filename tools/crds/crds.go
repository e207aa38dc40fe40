// Package crds pins the modules of other projects whose custom resources the chart makes
// when asked to: the Prometheus operator's and the Gateway API's. Tests install the
// definitions into an API server, which then refuses what is not in their schemas.
package crds

import (
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	_ "sigs.k8s.io/gateway-api/apis/v1"
)
