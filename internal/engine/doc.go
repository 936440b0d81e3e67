// Package engine is the hallway: it carries values from feed to fleet to plan to act, and the answers back to fleet.
//
// In: facts from feed, answers from act, the passing of time.
//
// Out: calls for act, events, metrics. Core is the loop's body and has no goroutine and no clock, so that a simulated world
// can drive it step by step; Run is the loop around it.
//
// Never: it neither decides (plan does) nor speaks to the API (feed and act do). One goroutine owns the Core.
package engine
