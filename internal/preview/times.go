package preview

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// Basis says what an estimate of time rests on.
type Basis struct {
	// Ready is how long a Pod takes from its creation to Ready: the median of those seen.
	Ready metav1.Duration `json:"ready"`
	// Pods is how many were seen, and Of says whose they are.
	Pods int    `json:"pods"`
	Of   string `json:"of"`
	// End is how long a Pod is taken to need to end. It leaves no trace in a cluster, so it is an assumption.
	End metav1.Duration `json:"end"`
}

// Whose Pods a Basis rests on.
const (
	OfThis    = "this DaemonSet"
	OfAll     = "all DaemonSets"
	OfNothing = "an assumption"
)

const (
	assumedEnd   = 2 * time.Second
	assumedReady = 10 * time.Second
)

// basisOf looks at how long Pods took to become Ready: this DaemonSet's, else those of all.
func basisOf(f *fleet.Fleet, own *fleet.Daemon) Basis {
	b := Basis{Of: OfThis, End: metav1.Duration{Duration: assumedEnd}}
	var times []time.Duration
	if own != nil {
		times = readyTimes(own, nil)
	}
	if len(times) == 0 {
		b.Of = OfAll
		for _, d := range f.Daemons() {
			times = readyTimes(d, times)
		}
	}
	if len(times) == 0 {
		b.Of, b.Ready.Duration = OfNothing, assumedReady
		return b
	}
	slices.Sort(times)
	b.Pods, b.Ready.Duration = len(times), times[len(times)/2].Round(time.Second)
	return b
}

func readyTimes(d *fleet.Daemon, out []time.Duration) []time.Duration {
	for pod := range d.EachPod {
		if took := pod.ReadyStamp.Time().Sub(pod.Created.Time()); pod.Ready && pod.ReadyStamp != 0 && took >= 0 {
			out = append(out, max(took, time.Second)) // stamps are in whole seconds
		}
	}
	return out
}
