// Package harness runs `everynode up` as a process for tests that need a real API server.
//
// Comes in: a test, flags for `up`. Goes out: a ready lab with a client, a way to stop, kill and resume it, its output
// when the test fails. Launch runs any other command the same way. The binary is bin/everynode, or what
// EVERYNODE_BIN names; `make build` makes it.
//
// Never: links a control plane into the test (that costs minutes of linking), touches the user's home directory, or
// leaves a process behind.
package harness
