package feed

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/everynode/everynode/internal/fleet"
)

const nodesPath = "/api/v1/nodes"

type failure struct {
	kind Kind
	err  error
}

// run starts a feed and gives its events and errors; the feed ends with the test.
func run(t *testing.T, answers map[string][]answer) (*server, <-chan Event, <-chan failure) {
	s, client := serve(t, answers)
	ctx, cancel := context.WithCancel(t.Context())
	out, failed, done := make(chan Event), make(chan failure, 64), make(chan struct{})
	go func() {
		defer close(done)
		Run(ctx, client, Options{Target: target, OnError: func(k Kind, err error) { failed <- failure{k, err} }}, out)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s, out, failed
}

// names are the nodes that a fleet knows, with their versions.
func names(f *fleet.Fleet, candidates ...string) string {
	var known []string
	for _, name := range candidates {
		if n := f.Node(name); n != nil {
			known = append(known, name)
		}
	}
	return strings.Join(known, " ")
}

func TestAFeedStreamsResumesAndListsAfreshAfterAGap(t *testing.T) {
	s, out, failed := run(t, map[string][]answer{nodesPath: {
		{stream: []metav1.WatchEvent{
			event(watch.Added, node("n1", "1")), event(watch.Added, node("n2", "2")), complete("3"),
			event(watch.Added, node("n3", "4")), event(watch.Modified, node("n1", "5")), event(watch.Deleted, node("n2", "6")),
		}}, // and the connection breaks
		{stream: []metav1.WatchEvent{event(watch.Added, node("n4", "7")), event(watch.Error, status(http.StatusGone))}},
		// n3 was deleted meanwhile, and nobody said so
		{stream: []metav1.WatchEvent{event(watch.Added, node("n1", "5")), event(watch.Added, node("n4", "7")), complete("9")}, open: true},
	}})
	f := empty()
	for i, want := range []struct{ event, nodes string }{
		{"replace", "n1 n2"},
		{"add", "n1 n2 n3"},
		{"update", "n1 n2 n3"},
		{"delete", "n1 n3"},
		{"add", "n1 n3 n4"},
		{"replace", "n1 n4"},
	} {
		e := <-out
		if e.Kind != Nodes || e.Type != want.event || e.Synced != (want.event == "replace") {
			t.Fatalf("event %d is %s of %s, synced %v; want %s", i, e.Type, e.Kind, e.Synced, want.event)
		}
		e.Apply(f, time.Now())
		if got := names(f, "n1", "n2", "n3", "n4"); got != want.nodes {
			t.Fatalf("after event %d (%s): nodes %q, want %q", i, e.Type, got, want.nodes)
		}
	}
	if v := f.Node("n1").Version; v != 5 {
		t.Errorf("n1 is known as of %d, want 5", v)
	}
	want := []string{"stream from ", "watch from 6", "stream from 7"}
	if s.mu.Lock(); !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q, want %q", s.asked, want)
	}
	s.mu.Unlock()
	if len(failed) != 0 {
		t.Errorf("a gap that a fresh list closes was told as an error: %v", (<-failed).err)
	}
}

func TestAServerThatCannotStreamIsAskedForThePresentList(t *testing.T) {
	s, out, failed := run(t, map[string][]answer{nodesPath: {
		{status: http.StatusUnprocessableEntity},
		{list: &corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}, ListMeta: metav1.ListMeta{ResourceVersion: "8"}, Items: []corev1.Node{*node("n1", "1")}}},
		{stream: []metav1.WatchEvent{event(watch.Added, node("n2", "9"))}, open: true},
	}})
	f := empty()
	for _, want := range []string{"n1", "n1 n2"} {
		(<-out).Apply(f, time.Now())
		if got := names(f, "n1", "n2"); got != want {
			t.Errorf("nodes %q, want %q", got, want)
		}
	}
	// "from 0" would be any state of the past
	want := []string{"stream from ", "list from ", "watch from 8"}
	if s.mu.Lock(); !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q, want %q", s.asked, want)
	}
	s.mu.Unlock()
	if len(failed) != 0 {
		t.Errorf("the way to an older server was told as an error: %v", (<-failed).err)
	}
}

func TestARefusedReadSaysWhatIsMissingAndWhatToDo(t *testing.T) {
	_, _, failed := run(t, map[string][]answer{
		"/apis/apps/v1/controllerrevisions": {{status: http.StatusForbidden}, {status: http.StatusForbidden}},
	})
	for _, want := range []string{
		"the controller may not watch controllerrevisions in all namespaces: give its identity the ClusterRole in config/rbac: ",
		"the controller may not list controllerrevisions in all namespaces: give its identity the ClusterRole in config/rbac: ",
	} {
		got := <-failed
		if got.kind != Revisions || !strings.HasPrefix(got.err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", got.kind, got.err, want)
		}
	}
}

func TestAFailedReadIsToldAndRepeated(t *testing.T) {
	_, out, failed := run(t, map[string][]answer{nodesPath: {
		{status: http.StatusUnauthorized},
		{status: http.StatusServiceUnavailable},
		{stream: []metav1.WatchEvent{event(watch.Added, node("n1", "1")), complete("3")}, open: true},
	}})
	for _, want := range []string{"the API server does not accept the controller's credentials (watch nodes)", "list nodes: prepared"} {
		if got := <-failed; got.kind != Nodes || !strings.Contains(got.err.Error(), want) {
			t.Errorf("%s: %v, want %s", got.kind, got.err, want)
		}
	}
	f := empty()
	if (<-out).Apply(f, time.Now()); f.Node("n1") == nil {
		t.Error("n1 is not known after the repeated read")
	}
}

func TestAFullChannelHoldsNothingUpAtTheEnd(t *testing.T) {
	// Nobody takes the event; the cleanup waits for Run to return.
	run(t, map[string][]answer{nodesPath: {{stream: []metav1.WatchEvent{event(watch.Added, node("n1", "1")), complete("3")}, open: true}}})
}
