package chaos

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// history is how many old revisions a DaemonSet keeps unless it says otherwise.
const history = 10

// unsettled says what is missing from the end state: one Ready Pod of the last template on each node and no other, a status
// that says so, and revisions that agree with both.
func (j *judge) unsettled() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.daemons) == 0 {
		return fmt.Errorf("no DaemonSet is there")
	}
	for uid, d := range j.daemons {
		hash, err := j.lastHash(uid, d)
		if err != nil {
			return err
		}
		if err := j.slotsSettled(uid, d, hash); err != nil {
			return err
		}
		nodes := j.nodesThere()
		if st := d.status; !d.rolledOut() || int(st.DesiredNumberScheduled) != nodes || int(st.CurrentNumberScheduled) != nodes ||
			int(st.NumberReady) != nodes || st.NumberUnavailable != 0 || st.NumberMisscheduled != 0 {
			return fmt.Errorf("%s: %d nodes, and the status of generation %d is %+v", d.name, nodes, d.generation, st)
		}
	}
	return nil
}

func (j *judge) nodesThere() (n int) {
	for _, there := range j.nodes {
		if there {
			n++
		}
	}
	return n
}

func (j *judge) slotsSettled(uid types.UID, d *daemon, hash string) error {
	for node, there := range j.nodes {
		s := j.slots[slotKey{uid, node}]
		switch {
		case !there && s != nil && len(s.pods) > 0:
			return fmt.Errorf("%s: %d Pods on node %s, which does not exist", d.name, len(s.pods), node)
		case !there:
		case s == nil || len(s.pods) != 1:
			return fmt.Errorf("%s: node %s has not exactly one Pod", d.name, node)
		default:
			for _, p := range s.pods {
				if !p.available() || p.image != d.image || p.hash != hash {
					return fmt.Errorf("%s: Pod %s on %s: available=%v, %s of %s, wanted %s of %s", d.name, p.name, node, p.available(), p.image, p.hash, d.image, hash)
				}
			}
		}
	}
	return nil
}

// lastHash is the label of the revision of the present template, if the revisions are sane: numbered without doubles, the
// newest of the present template, each template once, and no more than are kept.
func (j *judge) lastHash(uid types.UID, d *daemon) (string, error) {
	var last *appsv1.ControllerRevision
	numbers, data, n := map[int64]bool{}, map[string]bool{}, 0
	for _, r := range j.revisions {
		if ref := metav1.GetControllerOf(r); ref == nil || ref.UID != uid {
			continue
		}
		n++
		if numbers[r.Revision] || data[string(r.Data.Raw)] {
			return "", fmt.Errorf("%s: revision %d, %s, is there twice", d.name, r.Revision, r.Name)
		}
		numbers[r.Revision], data[string(r.Data.Raw)] = true, true
		if last == nil || r.Revision > last.Revision {
			last = r
		}
	}
	switch {
	case last == nil:
		return "", fmt.Errorf("%s has no revision", d.name)
	case n > history+1:
		return "", fmt.Errorf("%s has %d revisions, of which %d at most are kept", d.name, n, history+1)
	case !strings.Contains(string(last.Data.Raw), `"`+d.image+`"`):
		return "", fmt.Errorf("%s: the newest revision, %d, is not of %s", d.name, last.Revision, d.image)
	}
	return last.Labels[appsv1.DefaultDaemonSetUniqueLabelKey], nil
}
