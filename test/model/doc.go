// Package model asks whether internal/simworld/apimodel is true: whether a simulation that runs against it says anything
// about a real cluster.
//
// Comes in: the built binary, a seed. Goes out: random sequences of requests, each made of the model and of a real API
// server, whose answers, errors, stored objects, lists and watch events must be the same. UIDs, versions and generated
// names are compared by what they stand for, not by their text.
//
//	go test ./test/model -model-seed 7 -model-ops 100000
//	go test ./test/model -model-seed 7 -model-only 12      one sequence again, as a difference names it
//
// The real server's controllers are kept from acting by taking their rights away: all that is compared is the server's own
// doing. What the model leaves out on purpose is said in its doc.go, and taken out before the comparison (leftOut).
//
// Never: asserts what the server ought to do. The server is right.
package model
