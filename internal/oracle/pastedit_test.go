package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/everynode/everynode/internal/revision"
)

// claimed tells that a revision is the DaemonSet's, or will be.
func (r *pastRevision) claimed() bool { return !r.stray && r.owner != "other" }

// explain edits a past as the numbered differences would have it for upstream to agree, and gives their numbers.
func (p *past) explain() []int {
	var out []int
	for _, d := range []struct {
		number int
		edit   func(*past) bool
	}{{14, (*past).sameTemplate}, {ownedFirst, (*past).ownedFirst}, {15, (*past).onlyDuplicatesMove}, {16, (*past).othersAreNotUsed}} {
		if d.edit(p) {
			out = append(out, d.number)
		}
	}
	return out
}

// ownedFirst is a disagreement that no number covers yet: of an orphan and an own revision that both hold the template, ours stays
// with its own and gives it the highest number; upstream adopts the orphan and takes whichever has the higher number.
const ownedFirst = 101

func (p *past) ownedFirst() bool {
	var own, orphan *pastRevision
	var newest int64
	for i := range p.revisions {
		r := &p.revisions[i]
		if !r.claimed() {
			continue
		}
		newest = max(newest, r.number)
		side := &own
		if r.owner == "orphan" {
			side = &orphan
		}
		if r.holds() && (*side == nil || (*side).number < r.number) {
			*side = r
		}
	}
	if own == nil || orphan == nil || own.number > orphan.number {
		return false
	}
	own.number = newest + 1
	return true
}

// holds tells that the revision has the template's bytes.
func (r *pastRevision) holds() bool { return r.exact || (r.image == "a" && !r.dated) }

// sameTemplate: where no revision has the template's exact bytes, the newest of those that were current at its template
// generation holds it, or else the newest that means the same.
func (p *past) sameTemplate() bool {
	last := func(is func(*pastRevision) bool) *pastRevision {
		var out *pastRevision
		for i := range p.revisions {
			if r := &p.revisions[i]; r.claimed() && is(r) && (out == nil || out.number < r.number) {
				out = r
			}
		}
		return out
	}
	if last(func(r *pastRevision) bool { return r.holds() }) != nil {
		return false
	}
	current := last(func(r *pastRevision) bool {
		return r.owner == "mine" && !r.before && p.generation != "" && r.generation == p.generation
	})
	if current == nil {
		current = last(func(r *pastRevision) bool { return r.image == "a" })
	}
	if current != nil {
		current.exact = true
	}
	return current != nil
}

// onlyDuplicatesMove: when several revisions hold the template, Pods that wear another keep it.
func (p *past) onlyDuplicatesMove() bool {
	n := len(p.pods)
	if p.duplicates() {
		p.pods = slices.DeleteFunc(p.pods, p.wearsOther)
	}
	return len(p.pods) < n
}

func (p *past) duplicates() bool {
	n := 0
	for i := range p.revisions {
		if r := &p.revisions[i]; r.claimed() && r.holds() {
			n++
		}
	}
	return n > 1
}

func (p *past) wearsOther(pod pastPod) bool {
	r := &p.revisions[pod.wears]
	return !r.claimed() || !r.holds()
}

// othersAreNotUsed: a revision that the DaemonSet does not and will not own only has the name that is wanted.
func (p *past) othersAreNotUsed() bool {
	found := false
	for i := range p.revisions {
		if r := &p.revisions[i]; !r.claimed() && r.named && r.image == "a" {
			r.apart, found = true, true
		}
	}
	return found
}

// unedit gives upstream's end as it would be told of the past before its edits.
func (k kept) unedit(edited, before *past) kept {
	for i := range edited.revisions {
		if r := &edited.revisions[i]; r.exact || r.apart {
			was := before.revision(i)
			if text, ok := k[was.Name]; ok {
				k[was.Name] = strings.Replace(text, string(edited.revision(i).Data.Raw), string(was.Data.Raw), 1)
			}
		}
	}
	if len(edited.pods) < len(before.pods) {
		for _, pod := range before.pods {
			if before.wearsOther(pod) {
				k["pod "+pod.name] = before.hash(pod)
			}
		}
	}
	return k
}

// hash is what a Pod wears: the hash of its revision, or the name of one that has none yet.
func (p *past) hash(pod pastPod) string {
	r := p.revision(pod.wears)
	if hash := revision.HashOf(r); hash != "" {
		return hash
	}
	return r.Name
}

// String prints a past for whoever has to find out.
func (p *past) String() string {
	out := []string{fmt.Sprintf("generation %q, collisions %d, limit %d", p.generation, p.collisions, p.limit)}
	for i := range p.revisions {
		out = append(out, fmt.Sprintf("revision %s %+v", p.revision(i).Name, p.revisions[i]))
	}
	for _, pod := range p.pods {
		out = append(out, fmt.Sprintf("pod %s wears %s, ended %v", pod.name, p.hash(pod), pod.ended))
	}
	return strings.Join(out, "\n")
}
