package feed

import (
	"context"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/fleet"
)

// applied puts facts that were read from API objects into a Fleet.
type applied = func(f *fleet.Fleet, now time.Time)

// mailbox is the store that a reflector fills: it keeps nothing and sends everything on.
type mailbox struct {
	ctx     context.Context
	kind    Kind
	out     chan<- Event
	onError func(Kind, error)
	// put, drop and replace read facts from objects, before the event is sent.
	put     func(object any, v fleet.Version) applied
	drop    func(object any, v fleet.Version) applied
	replace func(objects []any, vs []fleet.Version, v fleet.Version) applied
}

// Add, Update, Delete, Replace and Resync make a mailbox a cache.ReflectorStore.
func (m *mailbox) Add(object any) error    { return m.one("add", object, m.put) }
func (m *mailbox) Update(object any) error { return m.one("update", object, m.put) }
func (m *mailbox) Delete(object any) error { return m.one("delete", object, m.drop) }
func (m *mailbox) Resync() error           { return nil }

func (m *mailbox) one(kind string, object any, read func(any, fleet.Version) applied) error {
	v, err := m.version(object)
	if err != nil {
		return err
	}
	m.send(Event{Kind: m.kind, Type: kind, Apply: read(object, v)})
	return nil
}

// Replace sends a whole list on.
func (m *mailbox) Replace(objects []any, resourceVersion string) error {
	list, err := parse(resourceVersion)
	if err != nil {
		return m.refuse(fmt.Errorf("list of %s: %w", m.kind, err))
	}
	versions := make([]fleet.Version, len(objects))
	for i, o := range objects {
		if versions[i], err = m.version(o); err != nil {
			return err
		}
	}
	m.send(Event{Kind: m.kind, Type: "replace", Apply: m.replace(objects, versions, list), Synced: true})
	return nil
}

func (m *mailbox) send(e Event) {
	select {
	case m.out <- e:
	case <-m.ctx.Done():
	}
}

func (m *mailbox) version(object any) (fleet.Version, error) {
	o, ok := object.(metav1.Object)
	if !ok {
		return 0, m.refuse(fmt.Errorf("%s: %T is no API object", m.kind, object))
	}
	v, err := parse(o.GetResourceVersion())
	if err != nil {
		return 0, m.refuse(fmt.Errorf("%s %s/%s: %w", m.kind, o.GetNamespace(), o.GetName(), err))
	}
	return v, nil
}

// refuse reports what cannot be read; the reflector would only log it.
func (m *mailbox) refuse(err error) error {
	if m.onError != nil {
		m.onError(m.kind, err)
	}
	return err
}

func parse(resourceVersion string) (fleet.Version, error) {
	v, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("resourceVersion %q is no number, so it cannot be told what is newer; everynode needs an API server that counts them up", resourceVersion)
	}
	return fleet.Version(v), nil
}

// explain says of a failed read what to do about it.
func explain(kind Kind, err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return fmt.Errorf("reading %s is not permitted; the controller's ClusterRole needs list and watch on them (see config/rbac): %w", kind, err)
	}
	return err
}
