package main

import "sync"

// board is where one waits for what the watch tells of a Pod.
type board struct {
	mu          sync.Mutex
	ready, gone map[string]chan struct{}
}

func newBoard() *board {
	return &board{ready: map[string]chan struct{}{}, gone: map[string]chan struct{}{}}
}

// await gives what is closed when that is told of the Pod, from now on. One may wait for it.
func (b *board) await(of map[string]chan struct{}, name string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	told := make(chan struct{})
	of[name] = told
	return told
}

// tell wakes who waits for that.
func (b *board) tell(of map[string]chan struct{}, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if told := of[name]; told != nil {
		close(told)
		delete(of, name)
	}
}
