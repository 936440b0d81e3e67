package explain

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	reviewv1 "k8s.io/api/admission/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"github.com/everynode/everynode/test/harness"
)

// base is a DaemonSet for the script's own nodes.
const base = `
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {case: CASE}
      containers:
      - name: app
        image: example.com/app:1
        resources: {requests: {cpu: 100m, memory: 64Mi}}
`

// daemon NAME [FILE] creates a DaemonSet: the base, with a strategic merge patch on it.
func daemon(ts *testscript.TestScript, lab *harness.Lab, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: daemon NAME [FILE]")
	}
	namespace := ts.Getenv("NAMESPACE")
	text := strings.NewReplacer("NAME", args[0], "CASE", namespace).Replace(base)
	ds := decode[appsv1.DaemonSet](ts, text)
	if len(args) == 2 {
		patch, err := yaml.YAMLToJSON([]byte(strings.ReplaceAll(ts.ReadFile(args[1]), "CASE", namespace)))
		ts.Check(err)
		original, err := json.Marshal(ds)
		ts.Check(err)
		merged, err := strategicpatch.StrategicMergePatch(original, patch, appsv1.DaemonSet{})
		ts.Check(err)
		ds = decode[appsv1.DaemonSet](ts, string(merged))
	}
	ds.Name = args[0]
	_, err := lab.Client.AppsV1().DaemonSets(namespace).Create(context.Background(), ds, metav1.CreateOptions{})
	ts.Check(err)
}

// pod NAME NODE LABEL [OWNER] creates a Pod with the label app=LABEL on a node, controlled by a DaemonSet, or by nobody.
func pod(ts *testscript.TestScript, lab *harness.Lab, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: pod NAME NODE LABEL [OWNER]")
	}
	namespace := ts.Getenv("NAMESPACE")
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: args[0], Labels: map[string]string{"app": args[2]}},
		Spec:       corev1.PodSpec{NodeName: args[1], Containers: []corev1.Container{{Name: "app", Image: "example.com/app:1"}}},
	}
	if len(args) == 4 {
		owner, err := lab.Client.AppsV1().DaemonSets(namespace).Get(context.Background(), args[3], metav1.GetOptions{})
		ts.Check(err)
		p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))}
	}
	_, err := lab.Client.CoreV1().Pods(namespace).Create(context.Background(), p, metav1.CreateOptions{})
	ts.Check(err)
}

// webhook TEXT denies all Pods of the script's namespace, until the script ends.
func webhook(ts *testscript.TestScript, lab *harness.Lab, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: webhook TEXT")
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review reviewv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = &reviewv1.AdmissionResponse{UID: review.Request.UID, Result: &metav1.Status{Code: http.StatusForbidden, Message: args[0]}}
		review.Request = nil
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(review); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	ts.Defer(server.Close)
	namespace := ts.Getenv("NAMESPACE")
	none := admissionv1.SideEffectClassNone
	hook := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: namespace}, Webhooks: []admissionv1.ValidatingWebhook{{
		Name: "policy.example.com", SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"case": namespace}},
		ClientConfig: admissionv1.WebhookClientConfig{
			URL: &server.URL, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		},
		Rules: []admissionv1.RuleWithOperations{{
			Operations: []admissionv1.OperationType{admissionv1.Create},
			Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
		}},
	}}}
	hooks := lab.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err := hooks.Create(context.Background(), hook, metav1.CreateOptions{})
	ts.Check(err)
	ts.Defer(func() { ts.Check(hooks.Delete(context.Background(), namespace, metav1.DeleteOptions{})) })
	// The API server learns of it by watching: it is there when a Pod is denied.
	probe := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "probe"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
	eventually(ts, func() (string, bool) {
		_, err := lab.Client.CoreV1().Pods(namespace).Create(context.Background(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return "a Pod is admitted", err != nil
	})
}

func decode[T any](ts *testscript.TestScript, text string) *T {
	var o T
	ts.Check(yaml.UnmarshalStrict([]byte(text), &o))
	return &o
}
