package feed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// answer is one prepared answer of the server: a status, a list, or a stream of events.
type answer struct {
	status int // an error with that code
	list   any
	stream []metav1.WatchEvent
	open   bool // the stream stays open
}

// server is an API server of prepared answers. A kind without any more answers hangs.
type server struct {
	mu      sync.Mutex
	answers map[string][]answer // by path
	asked   []string            // what the request for nodes was
}

func serve(t *testing.T, answers map[string][]answer) (*server, kubernetes.Interface) {
	s := &server{answers: answers}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: web.URL, QPS: -1, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
	must(t, err)
	return s, client
}

func (s *server) next(r *http.Request) (answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	if r.URL.Path == "/api/v1/nodes" {
		verb := "list"
		switch {
		case q.Get("sendInitialEvents") == "true":
			verb = "stream"
		case q.Get("watch") != "":
			verb = "watch"
		}
		s.asked = append(s.asked, verb+" from "+q.Get("resourceVersion"))
	}
	left := s.answers[r.URL.Path]
	if len(left) == 0 {
		return answer{}, false
	}
	s.answers[r.URL.Path] = left[1:]
	return left[0], true
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := s.next(r)
	if !ok {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case a.status != 0:
		w.WriteHeader(a.status)
		put(w, status(a.status))
	case a.list != nil:
		put(w, a.list)
	default:
		for _, e := range a.stream {
			put(w, e)
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		if a.open {
			<-r.Context().Done()
		}
	}
}

// put writes a value as JSON; a reader that went away is none of the test's business.
func put(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprintf(w, "%s\n", b)
}

func status(code int) *metav1.Status {
	reasons := map[int]metav1.StatusReason{
		http.StatusForbidden: metav1.StatusReasonForbidden, http.StatusGone: metav1.StatusReasonExpired,
		http.StatusUnauthorized: metav1.StatusReasonUnauthorized, http.StatusUnprocessableEntity: metav1.StatusReasonInvalid,
		http.StatusServiceUnavailable: metav1.StatusReasonServiceUnavailable,
	}
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reasons[code], Message: "prepared",
	}
}

func event(kind watch.EventType, o any) metav1.WatchEvent {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	e := metav1.WatchEvent{Type: string(kind)}
	e.Object.Raw = b
	return e
}

func node(name, rv string) *corev1.Node {
	n := &corev1.Node{TypeMeta: metav1.TypeMeta{Kind: "Node", APIVersion: "v1"}, ObjectMeta: object(name, rv)}
	n.Namespace = ""
	return n
}

// complete is the bookmark that ends the list part of a stream.
func complete(rv string) metav1.WatchEvent {
	n := node("", rv)
	n.UID = ""
	n.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	return event(watch.Bookmark, n)
}
