// Package processtest runs the built binary of the service for black-box tests, and asks
// it over HTTP as people do.
//
//	Main(m)                 builds trainbooking, then runs the tests of the package
//	Start(t, args...)       trainbooking serve on free ports, when it serves
//	Command, RunToEnd       any other command
//	SignUp, LogIn           a Client: a person with a token
//	Enter, RaceAll          clients who race for every seat of a train
//
// The binary has the race detector where the test binary has it. What a process prints
// is kept and shown when its test fails; a race that it reports fails the test.
package processtest
