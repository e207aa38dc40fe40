// Package processtest runs the built binary of the service for black-box tests, and asks
// it over HTTP as people do.
//
//	Main(m, race)           builds trainbooking, then runs the tests of the package
//	Start(t, args...)       trainbooking serve on free ports, when it serves
//	Command, RunToEnd       any other command
//	StartProcess            one that runs and writes a log; CommandOf makes it
//	SignUp, LogIn           a Client: a person with a token
//	NewBalancer, NewLink    what lies between clients, processes and stores
//	Passengers, RequireKept  the service for package traffic, and the check of what it did
//
// What a process prints is kept and shown when its test fails; a race that the detector
// reports fails the test.
package processtest
