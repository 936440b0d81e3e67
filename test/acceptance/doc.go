// Package acceptance holds the promises of everynode as a user meets them: `everynode up` and `everynode controller` run as
// processes, and what is asserted is what the API server shows.
//
// Comes in: the binary (see test/harness). Goes out: tests that read as scenarios. A witness writes down every version of
// every Pod, so that "always" and "never" are checked over the whole history and not only at the end.
//
// Most scenarios share one control plane, each in a namespace and on nodes of its own. The same cases run on a virtual
// clock in internal/engine/testdata; here they meet the real admission, garbage collector, taint eviction and kubelets.
//
// Never: asserts how long something takes, but where the promise has a number; all other limits are guards.
package acceptance
