package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/everynode/everynode/internal/revision"
)

// past is a DaemonSet with revisions and the hashes that its Pods wear. The template's image is always "a".
type past struct {
	generation string
	collisions int32 // -1: never counted
	limit      int32
	revisions  []pastRevision
	pods       []pastPod
}

// pastRevision holds the template with some image. Its bytes may be those of an older server, which mean the same.
type pastRevision struct {
	image      string
	dated      bool // written by a server that showed creationTimestamp null
	number     int64
	owner      string // mine, orphan, other
	stray      bool   // the selector does not match
	named      bool   // as upstream names it, by hash; else by its place in the list
	unlabelled bool
	generation string
	before     bool // older than the DaemonSet
	exact      bool // edited: holds the template byte for byte
	apart      bool // edited: holds something else
}

type pastPod struct {
	name  string
	wears int // the index of a revision
	ended bool
}

func (p *past) clone() *past {
	out := *p
	out.revisions, out.pods = slices.Clone(p.revisions), slices.Clone(p.pods)
	return &out
}

var pastRevisions = rapid.Custom(func(t *rapid.T) pastRevision {
	often := func(what string, n int) bool { return rapid.IntRange(0, n).Draw(t, what) == n }
	return pastRevision{
		image:      rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "image"),
		number:     rapid.Int64Range(1, 6).Draw(t, "number"),
		owner:      rapid.SampledFrom([]string{"mine", "mine", "mine", "orphan", "other"}).Draw(t, "owner"),
		named:      often("named", 1),
		stray:      often("stray", 7),
		unlabelled: often("unlabelled", 5),
		dated:      often("dated", 7),
		before:     often("before", 3),
		generation: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "generation"),
	}
})

var pasts = rapid.Custom(func(t *rapid.T) *past {
	p := &past{
		generation: rapid.SampledFrom([]string{"", "2"}).Draw(t, "generation"),
		collisions: rapid.Int32Range(-1, 1).Draw(t, "collisions"),
		limit:      rapid.Int32Range(0, 4).Draw(t, "limit"),
		revisions:  rapid.SliceOfN(pastRevisions, 0, 5).Draw(t, "revisions"),
	}
	taken := map[string]bool{}
	for i := range p.revisions {
		r := &p.revisions[i]
		r.number = r.number*10 + int64(i) // two of a number have no order in upstream
		r.named = r.named && !taken[r.image]
		taken[r.image] = taken[r.image] || r.named
	}
	for i := range rapid.IntRange(0, min(3, len(p.revisions))).Draw(t, "pods") {
		p.pods = append(p.pods, pastPod{
			name:  fmt.Sprintf("p%d", i),
			wears: rapid.IntRange(0, len(p.revisions)-1).Draw(t, "wears"), ended: rapid.Bool().Draw(t, "ended"),
		})
	}
	if p.duplicates() && slices.ContainsFunc(p.pods, p.wearsOther) {
		p.limit = 10 // by difference 15 the two sides relabel other Pods, and so would trim other revisions
	}
	return p
})

func (p *past) daemonSet(image string) *appsv1.DaemonSet {
	s := scene{onDelete: true, age: 24 * time.Hour, generation: p.generation}
	ds := s.daemonSet()
	ds.Spec.Template.Spec.Containers[0].Image = image
	ds.Spec.RevisionHistoryLimit = &p.limit
	if p.collisions >= 0 {
		ds.Status.CollisionCount = ptr.To(p.collisions)
	}
	return ds
}

func (p *past) world() *world {
	w := &world{ds: p.daemonSet("a")}
	for i := range p.revisions {
		w.revisions = append(w.revisions, p.revision(i))
	}
	for _, pod := range p.pods {
		sp := scenePod{name: pod.name, node: "n1", place: "bound", hash: "new", owner: "mine", phase: corev1.PodRunning, age: time.Hour}
		if pod.ended {
			sp.terminating, sp.phase = true, corev1.PodFailed
		}
		w.pods = append(w.pods, sp.object(w.ds, p.hash(pod)))
	}
	return w
}

func (p *past) revision(i int) *appsv1.ControllerRevision {
	in := &p.revisions[i]
	r, err := revision.New(p.daemonSet(in.image), in.number)
	if err != nil {
		panic(err)
	}
	if !in.named {
		r.Name = fmt.Sprintf("d-%d", i)
		r.Labels[hashLabel] = fmt.Sprintf("hash%d", i)
	}
	r.UID, r.CreationTimestamp = types.UID("uid-"+r.Name), metav1.NewTime(epoch.Add(-time.Hour))
	if in.before {
		r.CreationTimestamp = metav1.NewTime(epoch.Add(-48 * time.Hour))
	}
	if r.Annotations = nil; in.generation != "" {
		r.Annotations = map[string]string{appsv1.DeprecatedTemplateGeneration: in.generation}
	}
	if in.unlabelled {
		delete(r.Labels, hashLabel)
	}
	if in.stray {
		r.Labels["app"] = "other"
	}
	switch in.owner {
	case "orphan":
		r.OwnerReferences = nil
	case "other":
		r.OwnerReferences[0].UID, r.OwnerReferences[0].Name = "uid-other", "other"
	default:
	}
	r.Data.Raw = in.data(r.Data.Raw, p)
	return r
}

// data are the bytes that a revision holds: own, or what an edit asks for.
func (in *pastRevision) data(own []byte, p *past) []byte {
	switch {
	case in.exact:
		exact, err := revision.Data(&p.daemonSet("a").Spec.Template)
		if err != nil {
			panic(err)
		}
		return exact
	case in.apart:
		return []byte(`{"spec":{}}`)
	case in.dated:
		return []byte(strings.Replace(string(own), `"metadata":{`, `"metadata":{"creationTimestamp":null,`, 1))
	default:
		return own
	}
}
