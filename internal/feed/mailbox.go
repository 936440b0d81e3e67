package feed

import (
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/everynode/everynode/internal/fleet"
)

// applied puts facts that were read from API objects into a Fleet.
type applied = func(f *fleet.Fleet, now time.Time)

// reader knows one kind: O is the API's object, F the fact. All but read get facts only, so that objects can go as soon as
// they are read.
type reader[O metav1.Object, F any] struct {
	read    func(object O, v fleet.Version) F
	put     func(F) applied
	drop    func(F) applied
	replace func(facts []F, list fleet.Version) applied
}

// mailbox is the store that a reflector fills: it keeps nothing and sends everything on.
type mailbox[O metav1.Object, F any] struct {
	reader[O, F]
	kind    Kind
	send    func(Event)
	onError func(Kind, error)
	// seen is the newest version that came in. What is older tells of the past: a list from a server that lags behind, or
	// that was restored from a backup, would bring back Pods and nodes that are gone.
	seen fleet.Version
}

// letter is a fact under its object's name. While a first list streams in, the reflector collects these in place of
// whole objects, which are many times as large.
type letter[F any] struct {
	metav1.ObjectMeta
	fact    F
	version fleet.Version
	err     error
}

// Add, Update, Delete, Replace and Resync make a mailbox a cache.ReflectorStore.
func (m *mailbox[O, F]) Add(object any) error    { return m.one("add", object, m.put) }
func (m *mailbox[O, F]) Update(object any) error { return m.one("update", object, m.put) }
func (m *mailbox[O, F]) Delete(object any) error { return m.one("delete", object, m.drop) }
func (m *mailbox[O, F]) Resync() error           { return nil }

func (m *mailbox[O, F]) one(kind string, object any, apply func(F) applied) error {
	fact, v, err := m.open(object)
	if err != nil {
		return m.refuse(err)
	}
	if v < m.seen {
		return nil // told once more after a reconnection
	}
	m.seen = v
	m.send(Event{Kind: m.kind, Type: kind, Apply: apply(fact), Version: v})
	return nil
}

// Transformer makes a mailbox a cache.TransformingStore: objects of a streamed list become letters one by one.
func (m *mailbox[O, F]) Transformer() cache.TransformFunc {
	return func(object any) (any, error) {
		o, ok := object.(metav1.Object)
		if !ok {
			return object, nil
		}
		l := &letter[F]{ObjectMeta: metav1.ObjectMeta{Namespace: o.GetNamespace(), Name: o.GetName()}}
		// An error here would drop the object, and the list would then say that it is gone.
		l.fact, l.version, l.err = m.open(object)
		return l, nil
	}
}

// Replace sends a whole list on. It refuses the list if one object cannot be read: without that one it would lie.
func (m *mailbox[O, F]) Replace(objects []any, resourceVersion string) error {
	list, err := ParseVersion(resourceVersion)
	if err != nil {
		return m.refuse(fmt.Errorf("list of %s: %w", m.kind, err))
	}
	if list < m.seen {
		return m.refuse(fmt.Errorf("list of %s: the server answers with its state at resourceVersion %d, and %d was seen before: it lags behind, and is asked again; if it was restored from a backup, restart everynode", m.kind, list, m.seen))
	}
	facts := make([]F, len(objects))
	for i, o := range objects {
		if facts[i], _, err = m.open(o); err != nil {
			return m.refuse(err)
		}
	}
	m.seen = list
	m.send(Event{Kind: m.kind, Type: "replace", Apply: m.replace(facts, list), Synced: true, Version: list})
	return nil
}

// open gives the fact of an object, or of a letter, and its version.
func (m *mailbox[O, F]) open(object any) (F, fleet.Version, error) {
	var none F
	if l, ok := object.(*letter[F]); ok {
		return l.fact, l.version, l.err
	}
	o, ok := object.(O)
	if !ok {
		return none, 0, fmt.Errorf("%s: a %T came where a %T is due", m.kind, object, o)
	}
	v, err := ParseVersion(o.GetResourceVersion())
	if err != nil {
		return none, 0, fmt.Errorf("%s %s: %w", m.kind, cache.MetaObjectToName(o), err)
	}
	return m.read(o, v), v, nil
}

// refuse reports what cannot be read; the reflector would only log it.
func (m *mailbox[O, F]) refuse(err error) error {
	if m.onError != nil {
		m.onError(m.kind, err)
	}
	return err
}

// ParseVersion reads a resourceVersion as the number that it is; the error says what everynode needs of a server.
func ParseVersion(resourceVersion string) (fleet.Version, error) {
	v, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("resourceVersion %q is no number, so it cannot be told what is newer; everynode needs an API server that counts them up", resourceVersion)
	}
	return fleet.Version(v), nil
}
