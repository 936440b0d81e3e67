package simworld

import "testing"

// known are seeds that once found something, by what that was.
var known = map[uint64]string{
	6:        "a create held back left a timer in the past: a busy loop",
	45:       "a third Pod beside a delete that was not answered",
	61:       "a DaemonSet went while a call for it was under way: a busy loop",
	130:      "a Pod was evicted that had been orphaned since the view",
	310:      "a create landed after it had been looked for: two Pods",
	849:      "an answer brought a deleted revision back",
	1056:     "a revision that landed late was not numbered",
	3477:     "a Pod to be released held the name: a busy loop",
	6709:     "a surge did not wait for a delete that was not answered",
	7126:     "a node went and came back while a create was in doubt",
	29000:    "after a restart the clocks of kubelets that are ahead let an available Pod go",
	63265:    "a create found another request's Pod, and landed later",
	7909:     "Pods that ended piled up while no delete was answered",
	6131547:  "the same without surge",
	2016808:  "the checker did not count a Pod that was orphaned a moment ago",
	2051625:  "the checker did not count a Pod that was adopted",
	4034829:  "the checker forgot by which clock a stamp was first seen",
	6179795:  "the checker took states of node and spec for the only ones that a view could have",
	6240874:  "the checker took a node for known that had joined a moment ago",
	4396881:  "the loop stood still before it took in what had come",
	3041295:  "a replica that stood by stood still while a Pod turned Ready",
	854943:   "an old Pod became available while the create of its successor was in doubt",
	845341:   "a surge went on elsewhere while a create was in doubt on a node that had been replaced",
	562356:   "after a restart the clock of a kubelet was ahead by just as long as the Pod had been Ready",
	450884:   "a Pod turned Ready while the loop was slow",
	304880:   "a copy of a revision landed late, and nothing looked",
	86092:    "a create met another's Pod under its name, and landed later",
	10000004: "an adoption's answer ended the wait for a change to the history, and the same was asked for again",
	10000072: "a dry run's answer did",
	10008201: "a change to a Pod of a vanished node made what was refused there forgotten",
	6900:     "a create whose answer was lost was repeated under the name of a Pod to be released, again and again",
	76838:    "a create found a Pod that had been given back, and landed later",
}

func TestKnownSeeds(t *testing.T) {
	for _, n := range sortedKeys(known) {
		w := Play(FromSeed(n), false)
		if len(w.Found) > 0 {
			t.Errorf("once: %s", known[n])
			tell(t, n, w)
		}
		if again := Play(FromSeed(n), false); again.Hash() != w.Hash() {
			t.Errorf("seed %d: two runs differ", n)
		}
	}
}
