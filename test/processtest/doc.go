// Package processtest runs the commands of this module for black-box tests.
//
//	Main(m, race)            builds trainbooking, then runs the tests of the package
//	Start(t, args...)        runs trainbooking serve on free ports and waits until it listens
//	Command, RunToEnd        any other command of trainbooking
//	CommandOf, StartProcess  a process of any command, with its log
//	SignUp, LogIn            a Client, which sends requests as a user
//	NewBalancer, NewLink     a load balancer, and a proxy that injects network faults
//	Passengers               the service as package traffic needs it
//	RequireConsistent        checks the history of the traffic
//
// A test that fails shows the logs of its processes. A race that the race detector reports
// fails the test.
package processtest
