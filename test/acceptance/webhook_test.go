package acceptance

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	reviewv1 "k8s.io/api/admission/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// answers is a webhook that answers each namespace's Pods with a code of its own, and counts how often it was asked.
type answers struct {
	mu    sync.Mutex
	codes map[string]int32 // by namespace; absent: admitted
	asked map[string]int
}

// ServeHTTP answers an AdmissionReview.
func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var review reviewv1.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.asked[review.Request.Namespace]++
	code, deny := a.codes[review.Request.Namespace]
	a.mu.Unlock()
	review.Response = &reviewv1.AdmissionResponse{UID: review.Request.UID, Allowed: !deny}
	if deny {
		review.Response.Result = &metav1.Status{Code: code, Message: fmt.Sprintf("the webhook says %d", code)}
	}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (a *answers) times(namespace string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[namespace]
}

func (a *answers) admit() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.codes)
}

// Webhooks deny with whatever code they like, fail, or are not there. Each is told in an event with its words, none is
// asked in a hot loop, and when it admits, or is taken away, the Pods are made.
func testWebhooks(t *testing.T, s *space, _ *controller) {
	a := &answers{codes: map[string]int32{}, asked: map[string]int{}}
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	spaces := map[string]*space{}
	for _, code := range []int32{400, 403, 404, 409, 410, 422, 429, 500, 503} {
		name := fmt.Sprintf("hooked-%d", code)
		a.codes[name] = code
		spaces[name] = s.space(t, name, "webhook=answers")
	}
	spaces["hooked-dead"] = s.space(t, "hooked-dead", "webhook=dead")
	s.webhook(t, "answers", server.URL, ca)
	s.webhook(t, "dead", "https://"+freeAddress(t), ca)
	lasts(t, settled) // the API server learns of webhooks by watching
	onHooked := onNodesWith("group", "hooked")
	for _, space := range spaces {
		space.create(t, "d", onHooked)
	}
	const watched = 20 * time.Second
	lasts(t, watched)
	for name := range spaces {
		if n := a.times(name); n > 14 { // 40 a minute; the first seconds have the most
			t.Errorf("%d creates in %s in %s", n, watched, name)
		}
	}
	for name, space := range spaces {
		if err := space.statusIs(t.Context(), "d", counts{desired: 2}); err != nil {
			t.Error(err)
		}
		text := "admission webhook \"answers.example.com\" denied the request: the webhook says " + name[len("hooked-"):]
		if name == "hooked-dead" {
			text = `failed calling webhook "dead.example.com"`
		}
		said := space.events(t, "d", "FailedCreate")
		if !slices.ContainsFunc(said, func(m string) bool { return strings.Contains(m, text) }) {
			t.Errorf("no event FailedCreate in %s says %q; there are %q", name, text, said)
		}
	}
	a.admit()
	webhooks := s.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if err := webhooks.Delete(t.Context(), "dead", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, space := range spaces {
		space.expect(t, "d", all(2))
		if h := space.seen.of(t, space.name, "d"); len(h.firsts) != 2 {
			t.Errorf("%d Pods were made in %s; want 2", len(h.firsts), space.name)
		}
	}
	if err := webhooks.Delete(t.Context(), "answers", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// webhook sends the creation of Pods in namespaces with the label webhook=name to a server.
func (s *space) webhook(t *testing.T, name, url string, ca []byte) {
	t.Helper()
	config := &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name:                    name + ".example.com",
			ClientConfig:            admissionv1.WebhookClientConfig{URL: &url, CABundle: ca},
			Rules:                   []admissionv1.RuleWithOperations{podCreations()},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"webhook": name}},
			SideEffects:             ptr.To(admissionv1.SideEffectClassNone),
			FailurePolicy:           ptr.To(admissionv1.Fail),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}
	if _, err := s.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(t.Context(), config, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
