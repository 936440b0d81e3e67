package command

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"
)

func noLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// answers is a client of a server that answers with these codes, one after the other.
func answers(t *testing.T, start func(http.Handler) *httptest.Server, codes ...int) (discovery.DiscoveryInterface, string) {
	t.Helper()
	web := start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(codes[0])
		codes = codes[1:]
		_, _ = w.Write([]byte(`{}`))
	}))
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(web.Close)
	client, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: web.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return client, web.URL
}

func TestOnlyWhatWaitingCanHealIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		start  func(http.Handler) *httptest.Server
		codes  []int
		failed int
		want   string
	}{
		"it answers":       {httptest.NewServer, []int{200}, 0, ""},
		"it comes up":      {httptest.NewServer, []int{503, 200}, 1, ""},
		"it only says no":  {httptest.NewServer, []int{403}, 0, ""},
		"bad credentials":  {httptest.NewServer, []int{401}, 0, "does not accept the credentials"},
		"another's server": {httptest.NewTLSServer, nil, 0, "is not the cluster of the kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			client, url := answers(t, c.start, c.codes...)
			failed := 0
			err := reach(t.Context(), client, url, func(error) { failed++ })
			if failed != c.failed {
				t.Errorf("%d failures were told, want %d", failed, c.failed)
			}
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), url+" "+c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// reviewed is a client of a server that allows everything but what deny names, as verb and resource.
func reviewed(user string, deny ...string) *fake.Clientset {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		c, ok := a.(clienttesting.CreateAction)
		if !ok {
			return true, nil, errors.New("a create that is none")
		}
		r, ok := c.GetObject().(*authorizationv1.SelfSubjectAccessReview)
		if !ok {
			return true, nil, errors.New("no review")
		}
		asked := r.Spec.ResourceAttributes
		r.Status.Allowed = !slices.Contains(deny, asked.Verb+" "+asked.Resource+asked.Subresource)
		return true, r, nil
	})
	client.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authenticationv1.SelfSubjectReview{Status: authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{Username: user}}}, nil
	})
	return client
}

func TestMissingRightsAreNamedAtOnce(t *testing.T) {
	if err := mayAll(t.Context(), reviewed("jane"), "everynode-system", noLog()); err != nil {
		t.Errorf("who may all is refused: %v", err)
	}
	err := mayAll(t.Context(), reviewed("jane", "create pods", "delete pods", "update daemonsetsstatus", "get leases"), "other", noLog())
	want := `jane may not do all that the controller has to; missing are
  pods: create, delete
  daemonsets/status.apps: update
  leases.coordination.k8s.io in namespace other: get
  grant them: kubectl apply -f config/rbac/ (the service account everynode-controller in everynode-system), or use another identity`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if err := mayAll(t.Context(), reviewed("", "get leases"), "", noLog()); err != nil {
		t.Errorf("without an election the lease is asked for: %v", err)
	}
}

func TestTheManifestGrantsAllThatIsNeeded(t *testing.T) {
	text, err := os.ReadFile("../../config/rbac/controller.yaml")
	if err != nil {
		t.Fatal(err)
	}
	granted := map[string][]rbacv1.PolicyRule{}
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		var role rbacv1.ClusterRole // a Role has the same form
		if err := yaml.Unmarshal([]byte(doc), &role); err != nil {
			t.Fatal(err)
		}
		granted[role.Kind+" "+role.Namespace] = append(granted[role.Kind+" "+role.Namespace], role.Rules...)
	}
	for _, r := range append(slices.Clone(rights), leaseRight("everynode-system")) {
		rules := granted["ClusterRole "]
		if r.namespace != "" {
			rules = granted["Role "+r.namespace]
		}
		name := strings.TrimSuffix(r.resource+"/"+r.sub, "/")
		for _, verb := range r.verbs {
			if !slices.ContainsFunc(rules, func(p rbacv1.PolicyRule) bool {
				return slices.Contains(p.APIGroups, r.group) && slices.Contains(p.Resources, name) && slices.Contains(p.Verbs, verb)
			}) {
				t.Errorf("config/rbac does not grant: %s %s", verb, r)
			}
		}
	}
}

func TestABuiltInControllerThatRunsAsWellIsTold(t *testing.T) {
	for args, manages := range map[string]bool{
		"kube-controller-manager":                                            true,
		"kube-controller-manager --controllers=*":                            true,
		"kube-controller-manager --controllers=*,bootstrapsigner":            true,
		"kube-controller-manager --controllers=*,-daemonset-controller":      false,
		"kube-controller-manager --controllers=-daemonset,*":                 false,
		"kube-controller-manager --controllers=daemonset-controller":         true,
		"kube-controller-manager --controllers=job-controller,-x":            false,
		"kube-controller-manager --controllers=* --controllers=-daemonset":   false,
		"kube-controller-manager --v=2 --controllers=*,-job-controller --x=": true,
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "kube-system", Name: "kcm-1", Labels: map[string]string{"component": "kube-controller-manager"},
		}}
		pod.Spec.Containers = []corev1.Container{{Command: strings.Fields(args)}}
		var out bytes.Buffer
		warnOfBuiltIn(t.Context(), fake.NewClientset(pod), slog.New(slog.NewTextHandler(&out, nil)))
		if told := strings.Contains(out.String(), "pod=kube-system/kcm-1"); told != manages {
			t.Errorf("%s: told %v, want %v: %s", args, told, manages, out.String())
		}
	}
	var out bytes.Buffer
	warnOfBuiltIn(context.Background(), fake.NewClientset(), slog.New(slog.NewTextHandler(&out, nil)))
	if !strings.Contains(out.String(), "--controllers=*,-daemonset-controller") {
		t.Errorf("where nothing can be seen, the log does not say what must be so: %s", out.String())
	}
}

func TestARightThatComesWithTheRolesIsWaitedFor(t *testing.T) {
	client := reviewed("jane", "create pods")
	go func() {
		time.Sleep(rightsPause / 2)
		client.PrependReactor("create", "selfsubjectaccessreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, &authorizationv1.SelfSubjectAccessReview{Status: authorizationv1.SubjectAccessReviewStatus{Allowed: true}}, nil
		})
	}()
	if err := mayAllSoon(t.Context(), client, "", noLog()); err != nil {
		t.Error(err)
	}
}
