package fleet

import "time"

// Creates is what is known of a DaemonSet's create calls for one node.
type Creates struct {
	// UnderWay is how many have not been answered.
	UnderWay int
	// Unsure is the name of a Pod whose create was not answered. Until Till it may yet appear, once more if one was there when it
	// was looked for, so no Pod is made under another name.
	Unsure string
	Till   time.Time
}

// Creates gives what is known of the create calls for a node.
func (d *Daemon) Creates(node string) Creates { return d.creates[node] }

// CreateSent notes that a create call for a node is under way.
func (d *Daemon) CreateSent(node string) {
	c := d.creates[node]
	c.UnderWay++
	d.creates[node] = c
	d.mark(d.slots[node])
}

// CreateAnswered notes that a create call is no longer under way. If it is not known what became of it, name is that of the Pod
// that may yet appear, and till is how long that may take; else name is empty.
func (d *Daemon) CreateAnswered(node, name string, till, now time.Time) {
	c := d.creates[node]
	c.UnderWay = max(0, c.UnderWay-1)
	if name != "" {
		c.Unsure, c.Till = name, till
	}
	d.creates[node] = c
	if c.UnderWay == 0 && !now.Before(c.Till) {
		delete(d.creates, node)
	}
	d.mark(d.slots[node])
}
