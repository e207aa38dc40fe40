// Package chart tests the charts against a real API server: the server's schemas,
// admission and RBAC must accept what it renders, and Helm must install, upgrade and uninstall
// it. The effect of each value on the manifests is tested in charts/trainbooking/tests.
package chart
