package simworld

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Outcome is how a world ended, in words that do not depend on names, UIDs, versions and times: what two runs of one story
// must have in common, whatever hit them.
func (w *World) Outcome() string {
	var b strings.Builder
	for _, ds := range w.sets() {
		s := ds.Status
		fmt.Fprintf(&b, "%s: image %s, desired %d, current %d, ready %d, available %d, misscheduled %d\n", ds.Name, ds.Spec.Template.Spec.Containers[0].Image,
			s.DesiredNumberScheduled, s.CurrentNumberScheduled, s.NumberReady, s.NumberAvailable, s.NumberMisscheduled)
		for _, n := range w.nodes() {
			fmt.Fprintf(&b, "  %s:", n.Name)
			for _, p := range w.pods() {
				if metav1.IsControlledBy(p, ds) && nodeOf(p) == n.Name {
					fmt.Fprintf(&b, " %s %s", p.Status.Phase, w.imageOf(ds, p.Spec.Containers[0].Image))
				}
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// imageOf gives a Pod's image; where updates are left to the user it depends on the moment at which a Pod was made.
func (w *World) imageOf(ds *appsv1.DaemonSet, image string) string {
	if ds.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return ""
	}
	return image
}
