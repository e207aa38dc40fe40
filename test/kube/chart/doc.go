// Package chart holds what charts/trainbooking renders against a real API server: its
// schemas, its admission, its RBAC; and lets Helm install, upgrade and uninstall it there.
// What each value does to the manifests is told by the chart's own unit tests.
package chart
