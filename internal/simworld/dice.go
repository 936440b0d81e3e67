package simworld

import "time"

// dice gives numbers that depend on a seed and on what they are for, and on nothing that was drawn before: leaving a step
// out of a schedule changes no other step.
type dice uint64

// of makes the dice for something with a number.
func (d dice) of(what uint64, number int) dice {
	return dice(mix(uint64(d) ^ mix(what) ^ mix(uint64(number)+0x9e3779b97f4a7c15)))
}

// roll gives a number below n, another one for each turn.
func (d dice) roll(turn uint64, n int) int {
	if n <= 1 {
		return 0
	}
	return int(mix(uint64(d)+mix(turn+1)) % uint64(n))
}

// chance is true once in n.
func (d dice) chance(turn uint64, n int) bool { return d.roll(turn, n) == 0 }

// between gives a duration in milliseconds steps.
func (d dice) between(turn uint64, low, high time.Duration) time.Duration {
	return low + time.Duration(d.roll(turn, int((high-low)/time.Millisecond)+1))*time.Millisecond
}

// mix is splitmix64's finalizer.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// What dice are for.
const (
	forSetup uint64 = iota + 1
	forStep
	forRequest
	forKubelet
	forActor
	forProcess
	forWatch
)
