package oracle

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
)

// world is a snapshot as API objects: what the stores of both sides are filled from.
type world struct {
	ds        *appsv1.DaemonSet
	revisions []*appsv1.ControllerRevision
	pods      []*corev1.Pod
	nodes     []*corev1.Node
}

func (w *world) key() string { return w.ds.Namespace + "/" + w.ds.Name }

// server stands for the API server: of the DaemonSet's status, its history and the Pods' labels it keeps what is written.
type server struct {
	ds           *appsv1.DaemonSet
	statusWrites int
	revisions    map[string]*appsv1.ControllerRevision
	labels       map[string]map[string]string // of Pods
}

func (s *server) load(w *world) {
	*s = server{ds: w.ds.DeepCopy(), revisions: map[string]*appsv1.ControllerRevision{}, labels: map[string]map[string]string{}}
	for _, r := range w.revisions {
		s.revisions[r.Name] = r
	}
	for _, p := range w.pods {
		s.labels[p.Name] = p.Labels
	}
}

// relabel takes the merge patch that upstream sends when two revisions become one.
func (s *server) relabel(pod string, data []byte) error {
	var patch struct {
		Metadata struct{ Labels map[string]string }
	}
	if err := json.Unmarshal(data, &patch); err != nil {
		return err
	}
	s.setLabels(pod, patch.Metadata.Labels)
	return nil
}

func (s *server) setLabels(pod string, add map[string]string) {
	l := map[string]string{}
	for _, from := range []map[string]string{s.labels[pod], add} {
		for k, v := range from {
			l[k] = v
		}
	}
	s.labels[pod] = l
}

// own gives a revision its DaemonSet as controller, or takes it away.
func (s *server) own(name string, on bool) {
	r := s.revisions[name].DeepCopy()
	if on {
		r.OwnerReferences = append(r.OwnerReferences, *metav1.NewControllerRef(s.ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet")))
	} else {
		r.OwnerReferences = slices.DeleteFunc(r.OwnerReferences, func(ref metav1.OwnerReference) bool { return ref.UID == s.ds.UID })
	}
	s.revisions[name] = r
}

var revisionResource = appsv1.Resource("controllerrevisions")

// create refuses a name that is taken.
func (s *server) create(r *appsv1.ControllerRevision) error {
	if s.revisions[r.Name] != nil {
		return apierrors.NewAlreadyExists(revisionResource, r.Name)
	}
	out := r.DeepCopy()
	out.UID, out.CreationTimestamp = types.UID("uid-"+r.Name), metav1.NewTime(epoch)
	s.revisions[r.Name] = out
	return nil
}

type revisionClient struct {
	appsclient.ControllerRevisionInterface
	server *server
}

func (c revisionClient) Get(_ context.Context, name string, _ metav1.GetOptions) (*appsv1.ControllerRevision, error) {
	if r := c.server.revisions[name]; r != nil {
		return r.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(revisionResource, name)
}

func (c revisionClient) Create(_ context.Context, r *appsv1.ControllerRevision, _ metav1.CreateOptions) (*appsv1.ControllerRevision, error) {
	if err := c.server.create(r); err != nil {
		return nil, err
	}
	return c.server.revisions[r.Name].DeepCopy(), nil
}

func (c revisionClient) Update(_ context.Context, r *appsv1.ControllerRevision, _ metav1.UpdateOptions) (*appsv1.ControllerRevision, error) {
	c.server.revisions[r.Name] = r.DeepCopy()
	return r, nil
}

func (c revisionClient) Delete(_ context.Context, name string, _ metav1.DeleteOptions) error {
	delete(c.server.revisions, name)
	return nil
}

func (c revisionClient) Patch(_ context.Context, name string, _ types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*appsv1.ControllerRevision, error) {
	c.server.own(name, !strings.Contains(string(data), `"$patch":"delete"`))
	return c.server.revisions[name], nil
}
