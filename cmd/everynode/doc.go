// Command everynode is the one binary for people: a whole cluster to try (`up`), kubectl, and the tools that say what
// daemons do and why.
//
// Comes in: command lines. Goes out: calls into the packages that do the work, data on stdout, talk and four-part
// errors on stderr, exit code 1 for an error. `plan` has exit code 2 where something would change.
//
// Never: decides anything itself. A command is flags and one call.
package main
