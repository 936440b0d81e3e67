// Package command is the front door of the controller: its flags, its log, its lease and its HTTP endpoints, shared by the
// command `everynode controller` and the small binary everynode-controller.
//
// In: a command line. Out: a running engine, or an error for people: before the engine starts, it is made sure that the
// API server answers and that the identity may do all that the controller has to.
//
// Never: it decides nothing about Pods, and links no control plane.
package command
