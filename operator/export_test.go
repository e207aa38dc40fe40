package operator

// Wanted is wanted.
var Wanted = wanted
