//go:build e2e

// Package e2e installs the chart on a real cluster and uses it, once in each mode. Clustered:
//
//	install the version before ─▶ helm test, apply the samples, book through the Service
//	  ─▶ upgrade to three pods of this version under load ─▶ schedules of a feed
//	  ─▶ crash pods mid-booking ─▶ rotate passwords and the service token under load
//	  ─▶ delete schedules and trains ─▶ uninstall
//
// Embedded, with a proxy in the environment of all pods, which must not see a request:
//
//	install ─▶ helm test, apply the samples, book ─▶ a second release beside it
//	  ─▶ crash the pod mid-booking ─▶ upgrade under load ─▶ delete trains ─▶ uninstall
//
// It needs the build tag e2e and a cluster whose nodes have or can fetch the images (see make
// e2e). The tests use kubectl and helm as an admin does, in a namespace that enforces the
// restricted Pod Security. The load comes from pods of the product's image, which run
// trainbooking smoke through the Service and fail the test if an acknowledged booking is missing
// or a seat was sold twice.
//
// The tests check that they leave no object behind, in the namespace or cluster-wide. A failed
// test prints the logs of the pods and cleans up as far as possible.
package e2e
