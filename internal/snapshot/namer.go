package snapshot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/everynode/everynode/internal/live"
)

// namer replaces strings, the same by the same.
type namer struct {
	tokens map[string]string
	count  map[string]int
}

// newNamer gives names to what has a kind first, in order, so that nodes keep theirs.
func newNamer(s *Snapshot) *namer {
	n := &namer{tokens: map[string]string{"": ""}, count: map[string]int{}}
	for _, name := range []string{"default", "kube-system", "kube-public", "kube-node-lease", "everynode-system"} {
		n.tokens[name] = name
	}
	var nodes, spaces, daemons []string
	for i := range s.Nodes {
		nodes = append(nodes, s.Nodes[i].Name)
	}
	for _, ds := range s.DaemonSets {
		spaces, daemons = append(spaces, ds.Namespace), append(daemons, ds.Name)
	}
	for i := range s.Pods {
		spaces = append(spaces, s.Pods[i].Namespace)
	}
	n.all("node", nodes)
	n.all("ns", spaces)
	n.all("daemon", daemons)
	for i := range s.Pods {
		n.podName(&s.Pods[i])
	}
	return n
}

// all names a kind in order; the numbers have the same length, so that the order stays.
func (n *namer) all(kind string, names []string) {
	slices.Sort(names)
	names = slices.Compact(names)
	width := len(fmt.Sprint(len(names)))
	for i, name := range names {
		if n.tokens[name] == "" && name != "" {
			n.tokens[name] = fmt.Sprintf("%s-%0*d", kind, width, i+1)
		}
	}
}

// podName keeps what is behind the owner's name: it is derived or random, and tells by which controller.
func (n *namer) podName(p *Pod) {
	if p.Owner != nil {
		if rest, ok := strings.CutPrefix(p.Name, p.Owner.Name+"-"); ok && !strings.ContainsAny(rest, "-.") {
			n.tokens[p.Name] = n.name(p.Owner.Name) + "-" + rest
			return
		}
	}
	n.token("pod", p.Name)
}

// token gives the replacement of a string, a new one of that kind if it has none.
func (n *namer) token(kind, s string) string {
	if t, ok := n.tokens[s]; ok {
		return t
	}
	n.count[kind]++
	t := fmt.Sprintf("%s-%d", kind, n.count[kind])
	n.tokens[s] = t
	return t
}

// name replaces any string.
func (n *namer) name(s string) string { return n.token("value", s) }

// word is what may be a name in a sentence.
var word = regexp.MustCompile(`[A-Za-z0-9_]([A-Za-z0-9_./:@%=-]*[A-Za-z0-9_])?`)

// text replaces the names in a sentence that have been replaced elsewhere, and whatever looks like an address, an image or a
// path. Other words stay: they say what happened.
func (n *namer) text(s string) string {
	return word.ReplaceAllStringFunc(s, n.word)
}

func (n *namer) word(w string) string {
	if t, ok := n.tokens[w]; ok {
		return t
	}
	if i := strings.IndexAny(w, "/=_:"); i >= 0 && !known(w) {
		return n.word(w[:i]) + w[i:i+1] + n.word(w[i+1:])
	}
	if strings.ContainsAny(w, ".@") && !known(w) && !known(w+"/") && strings.Trim(w, "0123456789.") != "" {
		return "redacted"
	}
	return w
}

func (n *namer) live(in []live.State) []live.State {
	var out []live.State
	for _, s := range in {
		s.Namespace, s.Name = n.name(s.Namespace), n.name(s.Name)
		s.Held = n.backoff(s.Held)
		s.Nodes = slices.Clone(s.Nodes)
		for i := range s.Nodes {
			node := &s.Nodes[i]
			node.Name, node.Unsure = n.name(node.Name), n.name(node.Unsure)
			node.Failures, node.Refused = n.backoff(node.Failures), n.backoff(node.Refused)
			node.Pods = slices.Clone(node.Pods)
			for j := range node.Pods {
				node.Pods[j].Name = n.name(node.Pods[j].Name)
			}
		}
		out = append(out, s)
	}
	return out
}

func (n *namer) backoff(in *live.Backoff) *live.Backoff {
	if in == nil {
		return nil
	}
	out := *in
	out.Text = n.text(in.Text)
	return &out
}
