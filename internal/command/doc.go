// Package command is the front door of the controller: its flags, its log, its lease and its HTTP endpoints, shared by the
// command `everynode controller` and the small binary everynode-controller.
//
// In: a command line. Out: a running engine.
//
// Never: it decides nothing about Pods, and links no control plane.
package command
