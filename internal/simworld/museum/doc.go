// Package museum keeps bugs: those that DaemonSet controllers have had, and small slips that a reviewer could miss. Each is
// put back into today's source, one at a time, and the nets have to catch it: the invariants of the simulated world, the
// exploration of the small one, and the properties of the pure rooms. No test was written for any exhibit.
//
// In: the exhibits in testdata, as differences to the source, and the source itself.
//
// Out: an overlay for the go command with all exhibits in one build. The function that an exhibit changes is there twice, and
// the copy with the bug runs only where the environment names the exhibit. The tests here build and run that, and tell
// what caught each.
//
// Never: it changes no source file, and nothing of it is in any build but its own.
package museum
