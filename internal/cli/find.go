package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/everynode/everynode/internal/fleet"
	"github.com/everynode/everynode/internal/snapshot"
)

// Daemon finds the DaemonSet that a person means: NAME, NAMESPACE/NAME, or either with "ds/" in front. namespace is the one
// that was chosen; without any, the name has to be the only one.
func (c *Connection) Daemon(w *snapshot.World, arg, namespace string) (*fleet.Daemon, error) {
	ns, name := DaemonName(arg, namespace)
	if ns != "" {
		if d := w.Fleet.Daemon(types.NamespacedName{Namespace: ns, Name: name}); d != nil {
			return d, nil
		}
		return nil, c.noDaemon(w, ns, name)
	}
	var found []*fleet.Daemon
	for _, d := range w.Fleet.Daemons() {
		if d.Key.Name == name {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, c.noDaemon(w, "", name)
	}
	e := &Error{What: fmt.Sprintf("DaemonSet %s is there %d times", name, len(found)), Why: "it has that name in several namespaces"}
	for _, d := range found {
		e.Next = append(e.Next, "choose: -n "+d.Key.Namespace)
	}
	return nil, e
}

// DaemonName splits what a person wrote.
func DaemonName(arg, namespace string) (ns, name string) {
	for _, kind := range []string{"daemonset.apps/", "daemonsets.apps/", "daemonsets/", "daemonset/", "ds/"} {
		if rest, ok := strings.CutPrefix(arg, kind); ok {
			return namespace, rest
		}
	}
	if before, after, ok := strings.Cut(arg, "/"); ok {
		return before, after
	}
	return namespace, arg
}

func (c *Connection) noDaemon(w *snapshot.World, namespace, name string) error {
	e := &Error{What: fmt.Sprintf("there is no DaemonSet %s", name)}
	if namespace != "" {
		e.What += " in namespace " + namespace
	}
	var here, elsewhere []string
	for _, d := range w.Fleet.Daemons() {
		switch {
		case namespace == "" || d.Key.Namespace == namespace:
			here = append(here, d.Key.Name)
		case d.Key.Name == name:
			elsewhere = append(elsewhere, d.Key.Namespace)
		}
	}
	for _, ns := range elsewhere {
		e.Next = append(e.Next, "it is in another namespace: -n "+ns)
	}
	if near := Nearest(name, here); len(near) > 0 {
		e.Next = append(e.Next, "did you mean: "+strings.Join(near, ", "))
	} else if len(elsewhere) == 0 && len(here) > 0 {
		slices.Sort(here)
		e.Next = append(e.Next, "there are: "+strings.Join(some(here, 5), ", "))
	}
	if len(e.Next) == 0 {
		e.Next = append(e.Next, "see which there are: kubectl get daemonsets --all-namespaces")
	}
	return e
}

// NodeName makes sure that a node exists, or at least holds a Pod of the DaemonSet.
func (c *Connection) NodeName(w *snapshot.World, d *fleet.Daemon, arg string) (string, error) {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "nodes/"), "node/")
	if w.Fleet.Node(name) != nil || d.Slot(name) != nil || len(w.Nodes) == 0 {
		return name, nil
	}
	var all []string
	for i := range w.Nodes {
		all = append(all, w.Nodes[i].Name)
	}
	e := &Error{What: "there is no node " + name}
	if near := Nearest(name, all); len(near) > 0 {
		e.Next = append(e.Next, "did you mean: "+strings.Join(near, ", "))
	}
	e.Next = append(e.Next, "see which there are: kubectl get nodes")
	return "", e
}

func some(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n]), fmt.Sprintf("and %d more", len(list)-n))
}

// Nearest gives up to three names that a person may have meant, the most alike first.
func Nearest(name string, among []string) []string {
	type near struct {
		name string
		far  int
	}
	var found []near
	for _, other := range among {
		far := distance(name, other)
		if strings.Contains(other, name) && name != "" {
			far = min(far, 1)
		}
		if far <= max(2, len(name)/3) {
			found = append(found, near{other, far})
		}
	}
	slices.SortFunc(found, func(a, b near) int { return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name)) })
	var out []string
	for _, n := range found[:min(3, len(found))] {
		out = append(out, n.name)
	}
	return out
}

// distance is Levenshtein's: how many letters have to be changed, added or dropped.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, corner+cost)
		}
	}
	return row[len(b)]
}

// labelsOf lets a selector look at an object's labels.
func labelsOf(l map[string]string) labels.Set { return l }
