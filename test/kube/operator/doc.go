// Package operator tests the Train resource and its operator as they run: a real API
// server, the built service and the built operator, which may be killed.
//
//	crd(t)             the API server of the package, which knows Trains
//	newRail(t)         a service, a namespace, and an operator between them
//	rail.apply, get    what kubectl does
//	rail.await(…)      until a Train is as a test wants it
package operator
