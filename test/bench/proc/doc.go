// Package proc reads what a process has used, from Linux' /proc.
//
// Comes in: a process id. Goes out: CPU time of all its threads, living and dead, and its resident memory, now and at
// most since the last reset. Never: guesses; what cannot be read is an error.
package proc
