package simworld

import (
	"container/heap"
	"time"
)

// agenda is what is going to happen, in order of time and, within one moment, of booking.
type agenda struct {
	items  appointments
	booked int
}

type appointment struct {
	at  time.Time
	seq int
	do  func()
}

type appointments []appointment

func (a appointments) Len() int { return len(a) }
func (a appointments) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].seq < a[j].seq
	}
	return a[i].at.Before(a[j].at)
}
func (a appointments) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push and Pop make appointments a heap.Interface.
func (a *appointments) Push(x any) { *a = append(*a, x.(appointment)) }

func (a *appointments) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return x
}

func (a *agenda) book(at time.Time, do func()) {
	a.booked++
	heap.Push(&a.items, appointment{at: at, seq: a.booked, do: do})
}

// next gives the first appointment that is due by end.
func (a *agenda) next(end time.Time) (appointment, bool) {
	if len(a.items) == 0 || a.items[0].at.After(end) {
		return appointment{}, false
	}
	return heap.Pop(&a.items).(appointment), true
}
