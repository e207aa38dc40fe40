//go:build e2e

// Package e2e installs the chart on a real cluster and does what people do with it, once in
// each mode:
//
//	install ─▶ helm test ─▶ apply the samples ─▶ book through the Service ─▶ scale to three
//	        ─▶ crash pods mid-booking ─▶ upgrade under load ─▶ delete trains ─▶ uninstall
//
// It is behind the build tag e2e, as it needs a cluster whose nodes have the images; make
// e2e says how. Everything is asked of the cluster by kubectl and helm, as by an admin, in
// a namespace of the test's own that enforces the restricted Pod Security. The passengers
// are pods of the product's image (trainbooking smoke), so that they book by the Service's
// name, and what they find out decides: a booking that was acknowledged and is gone, or a
// seat that was sold twice, fails the test.
//
// # What it leaves behind
//
// Nothing, and the tests look: neither in the namespace nor cluster-wide. A test that fails
// prints what the pods said, and cleans up as well as it can.
package e2e
