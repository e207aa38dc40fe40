// Package operator tests the Train and TrainSchedule resources and the operator against a real API server, the
// built service and the built operator, which tests may kill.
//
//	sharedCluster(t)       the API server of the package, with the CRDs
//	newHarness(t)          a service, a namespace, and the proxies of an operator
//	harness.startOperator  starts the operator
//	harness.await          waits until a Train meets a condition
package operator
