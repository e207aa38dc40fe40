// Package page tests the page in Chromium: the built binary serves it, and every test has browsers of its
// own (incognito) in the one Chromium of the test binary.
//
// Tests use a page as people do: with the mouse or with keys, and by what is on the screen or what a screen
// reader says. At its end each test requires that no request left the origin, that the console has no errors
// or warnings, and that the policy blocked nothing (see tab).
package page
