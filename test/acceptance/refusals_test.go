package acceptance

import (
	"fmt"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/test/harness"
)

const refusingNodes = `
groups:
- {count: 3, prefix: denied-, labels: {group: denied}}
- {count: 3, prefix: blocked-, labels: {group: blocked}}
- {count: 2, prefix: calm-, labels: {group: calm}}
- {count: 3, prefix: closing-, labels: {group: closing}}
- {count: 2, prefix: account-, labels: {group: account}}
- {count: 8, prefix: beats-, labels: {group: beats}}
- {count: 2, prefix: hooked-, labels: {group: hooked}}
`

// TestRefusals: what the API server refuses is said in an event and counted in a status that tells the truth, is tried again
// less and less often, disturbs nobody else, and is made good when the reason goes. The controller runs as a process of its
// own, so that its metrics tell how often it called.
func TestRefusals(t *testing.T) {
	c := up(t, "--controller=false", "--nodes-file", nodesFile(t, refusingNodes))
	ctl := c.control(t)
	t.Run("settle", func(t *testing.T) {
		for name, scenario := range map[string]func(*testing.T, *space, *controller){
			"denied":  testDeniedByPolicy,
			"blocked": testRolloutBlocked,
			"closing": testNamespaceTerminates,
			"account": testTemplateThatCannotBeMade,
			"hooked":  testWebhooks,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				scenario(t, c.space(t, name), ctl)
			})
		}
	})
	t.Run("heartbeats", func(t *testing.T) { testHeartbeats(t, c.space(t, "beats"), ctl) })
	t.Run("rest", c.testAtRest)
}

// deny installs a policy for this space: Pods for which the CEL expression is false are refused with the message. It gives
// a function that takes the policy away.
func (s *space) deny(t *testing.T, expression, message string) (allow func()) {
	t.Helper()
	policies := s.Client.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	bindings := s.Client.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	name := s.name + ".policy.example.com"
	_, err := policies.Create(t.Context(), &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: podCreations()}}},
			Validations:      []admissionv1.Validation{{Expression: expression, Message: message}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = bindings.Create(t.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: s.name}}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := bindings.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func podCreations() admissionv1.RuleWithOperations {
	return admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create},
		Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
	}
}

// untilDenied waits until the API server refuses the Pod in a dry run: a policy needs a moment to become known.
func (s *space) untilDenied(t *testing.T, edit func(*corev1.Pod)) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: s.name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example.test/daemon:forbidden"}}},
	}
	edit(pod)
	harness.Eventually(t, patience, func() error {
		_, err := s.Client.CoreV1().Pods(s.name).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil {
			return fmt.Errorf("the Pod is still admitted")
		}
		return nil
	})
}

// notForbidden is what a Pod must be under the policies of these tests.
const notForbidden = `object.spec.containers.all(c, !c.image.endsWith(":forbidden"))`

// A policy denies one node's Pod. The event has the policy's words, the other nodes have their Pods, and a DaemonSet of
// another namespace comes up and follows its nodes meanwhile.
func testDeniedByPolicy(t *testing.T, s *space, _ *controller) {
	allow := s.deny(t, `object.spec.?nodeName.orValue("") != "denied-001"`, "house rule 7: nothing on denied-001")
	s.untilDenied(t, func(p *corev1.Pod) { p.Spec.NodeName = "denied-001" })
	calm := s.space(t, "calm")
	calm.create(t, "d")
	s.create(t, "d")
	s.expect(t, "d", counts{desired: 3, current: 2, ready: 2, updated: 2, available: 2})
	first := s.expectOn(t, "d", s.nodes(2, 3)...)
	s.expectEvent(t, "d", "FailedCreate", "house rule 7: nothing on denied-001", "denied-001")

	calm.expect(t, "d", all(2))
	before := calm.expectOn(t, "d", calm.nodes(1, 2)...)
	calm.command(t, "node", "add", "--prefix", "calm-", "--label", "group=calm")
	same(t, before, calm.expectOn(t, "d", calm.nodes(1, 2, 3)...), calm.nodes(1, 2)...)
	if m := calm.events(t, "", "FailedCreate"); len(m) > 0 {
		t.Errorf("events of another namespace's DaemonSet: %q", m)
	}

	allow()
	s.expect(t, "d", all(3))
	same(t, first, s.expectOn(t, "d", s.nodes(1, 2, 3)...), s.nodes(2, 3)...)
}

// A rollout whose new Pods would be denied costs no running daemon, and goes on by itself when the policy goes.
func testRolloutBlocked(t *testing.T, s *space, _ *controller) {
	s.create(t, "d")
	s.expect(t, "d", all(3))
	before := s.expectOn(t, "d", s.nodes(1, 2, 3)...)
	allow := s.deny(t, notForbidden, "that image is not for us")
	s.untilDenied(t, func(*corev1.Pod) {})

	s.update(t, "d", image("forbidden"))
	s.expectEvent(t, "d", "RolloutBlocked", "that image is not for us")
	s.expect(t, "d", counts{desired: 3, current: 3, ready: 3, available: 3})
	lasts(t, 5*time.Second) // several more tries
	same(t, before, s.expectOn(t, "d", s.nodes(1, 2, 3)...), s.nodes(1, 2, 3)...)
	if h := s.seen.of(t, s.name, "d"); len(h.firsts) != 3 || h.fewestReady(3) != 3 {
		t.Errorf("%d Pods were made, %d nodes Ready at the worst moment; want 3 and 3", len(h.firsts), h.fewestReady(3))
	}

	allow()
	s.expect(t, "d", all(3))
	replaced(t, before, s.expectOn(t, "d", s.nodes(1, 2, 3)...), s.nodes(1, 2, 3)...)
	if h := s.seen.of(t, s.name, "d"); h.mostPerNode() != 1 || h.fewestReady(3) != 2 {
		t.Errorf("at most %d Pods on a node, %d nodes Ready at the worst moment; want 1 and 2", h.mostPerNode(), h.fewestReady(3))
	}
}

// A namespace is deleted with a DaemonSet in it. Its Pods take their time, nothing new is accepted, and all of it goes.
func testNamespaceTerminates(t *testing.T, s *space, ctl *controller) {
	s.create(t, "d", sim("stuck-terminating", "6s"))
	s.expect(t, "d", all(3))
	if err := s.Client.CoreV1().Namespaces().Delete(t.Context(), s.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, patience, func() error {
		_, err := s.Client.CoreV1().Namespaces().Get(t.Context(), s.name, metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the namespace is still there: %w", err)
		}
		return nil
	})
	lasts(t, settled)
	if n := len(s.allPods(t)) + len(s.revisions(t)); n > 0 {
		t.Errorf("%d Pods and owners of revisions outlived their namespace", n)
	}
	if h := s.seen.of(t, s.name, "d"); len(h.firsts) != 3 {
		t.Errorf("%d Pods were made in all; want 3", len(h.firsts))
	}
	if n := ctl.number(t, "everynode_actions_total", "action=create", "result=closing"); n > 10 { // it takes half a minute
		t.Errorf("%v creates were tried in a namespace that was ending", n)
	}
}

// Templates that the API server accepts in a DaemonSet and refuses in a Pod: the event says what is missing, and when it
// appears the Pods do too.
func testTemplateThatCannotBeMade(t *testing.T, s *space, _ *controller) {
	s.create(t, "account", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.ServiceAccountName = "late" })
	s.create(t, "class", func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.PriorityClassName = "late" })
	s.expect(t, "account", counts{desired: 2})
	s.expect(t, "class", counts{desired: 2})
	s.expectEvent(t, "account", "FailedCreate", `serviceaccount "late" not found`)
	s.expectEvent(t, "class", "FailedCreate", "no PriorityClass with name late was found")

	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "late"}}
	if _, err := s.Client.CoreV1().ServiceAccounts(s.name).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.command(t, "kubectl", "create", "priorityclass", "late", "--value=1000")
	s.expect(t, "account", all(2))
	s.expect(t, "class", all(2))
	s.expectOn(t, "account", s.nodes(1, 2)...)
	s.expectOn(t, "class", s.nodes(1, 2)...)
}

// A16. A quota of no Pods at all, raised after a minute. The API server itself counts the calls; nobody else in this control
// plane makes Pods that are refused.
func testQuota(t *testing.T, s *space) {
	s.quota(t, "0")
	refused := func() float64 {
		return sum(s.Kubectl(t, "get", "--raw", "/metrics"), "apiserver_request_total", "resource=pods", "verb=POST", "code=403")
	}
	before := refused()
	s.create(t, "d")
	s.expect(t, "d", counts{desired: 20})
	s.expectEvent(t, "d", "FailedCreate", "exceeded quota", "limited: pods=0")
	lasts(t, time.Minute)
	if n := refused() - before; n < 3 || n > 40 {
		t.Errorf("%v creates were refused in a minute; want a few, and at most 40", n)
	}
	if n := len(s.events(t, "d", "FailedCreate")); n > 3 {
		t.Errorf("%d events in a minute say the same", n)
	}
	s.expect(t, "d", counts{desired: 20})

	s.quota(t, "1000")
	s.expect(t, "d", all(20))
	if h := s.seen.of(t, s.name, "d"); len(h.firsts) != 20 || h.mostPerNode() != 1 {
		t.Errorf("%d Pods were made, at most %d on a node; want 20 and 1", len(h.firsts), h.mostPerNode())
	}
}

// quota limits the Pods of this space, and waits until the limit is in force.
func (s *space) quota(t *testing.T, pods string) {
	t.Helper()
	quotas := s.Client.CoreV1().ResourceQuotas(s.name)
	q := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "pods"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse(pods)}},
	}
	_, err := quotas.Create(t.Context(), q, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = quotas.Update(t.Context(), q, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, patience, func() error {
		got, err := quotas.Get(t.Context(), "pods", metav1.GetOptions{})
		if err == nil && !got.Status.Hard[corev1.ResourcePods].Equal(q.Spec.Hard[corev1.ResourcePods]) {
			err = fmt.Errorf("the quota in force is %v", got.Status.Hard)
		}
		return err
	})
}
