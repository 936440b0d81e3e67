package chaos

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// TestJudgeBites tells the judge stories, one word a revision, and reads its verdict: a judge that never complains would
// pass any history. There are ten nodes, so one may be without its Pod. Words:
//
//	+a1:v2  Pod a on node 1 of template v2 is made     ra   a becomes Ready     ~a  a is told to end     -a  a is gone
//	fa      a fails                                    v2   the template becomes v2
//	xa      the chaos will delete a                    n1-  node 1 is deleted    n1+ and returns
func TestJudgeBites(t *testing.T) {
	for name, c := range map[string]struct {
		surge       bool
		story, want string
	}{
		"a rollout":                             {false, "+a1:v1 ra +b2:v1 rb v2 ~a -a +c1:v2 rc ~b -b +d2:v2 rd", ""},
		"two living Pods":                       {false, "+a1:v1 v2 +b1:v2", "2 living Pods"},
		"a Pod that ends makes room":            {false, "+a1:v1 ra v2 ~a +b1:v2", ""},
		"a Pod that failed makes room":          {false, "+a1:v1 fa v2 +b1:v2", ""},
		"beyond the budget":                     {false, "+a1:v1 ra +b2:v1 rb v2 ~a ~b", "2 nodes have lost"},
		"the new Pod is not Ready yet":          {false, "+a1:v1 ra +b2:v1 rb v2 ~a -a +c1:v2 ~b", "2 nodes have lost"},
		"an unavailable Pod is beyond budgets":  {false, "+a1:v1 +b2:v1 rb v2 ~b ~a", ""},
		"what the chaos took is not counted":    {false, "+a1:v1 ra +b2:v1 rb v2 xa ~a ~b", ""},
		"nor what it took of what was out":      {false, "+a1:v1 ra +b2:v1 rb v2 ~a -a +c1:v2 xc ~c ~b", ""},
		"a slot that has mended counts again":   {false, "+a1:v1 ra +b2:v1 rb xa ~a -a +c1:v1 rc v2 ~c ~b", "2 nodes have lost"},
		"what a node's end took":                {false, "+a1:v1 ra +b2:v1 rb v2 n1- -a n1+ ~b", ""},
		"the Pod of the present template":       {false, "+a1:v1 ra ~a", "of the present template"},
		"made twice":                            {false, "+a1:v1 ra v2 ~a -a +b1:v2 ~b -b +c1:v2", "Pod number 2 of v2"},
		"made again after the chaos":            {false, "+a1:v1 ra xa ~a -a +b1:v1 rb", ""},
		"killed at once counts as well":         {false, "+a1:v1 ra +b2:v1 rb v2 -a -b", "2 nodes have lost"},
		"two Pods with surge":                   {true, "+a1:v1 ra v2 +b1:v2 rb ~a", ""},
		"three Pods with surge":                 {true, "+a1:v1 ra v2 +b1:v2 v3 +c1:v3", "3 living Pods"},
		"surge removes too early":               {true, "+a1:v1 ra v2 +b1:v2 ~a", "before another one was available"},
		"surge removes too early, new one ends": {true, "+a1:v1 ra v2 +b1:v2 rb ~b ~a", "of the present template\nbefore another one was available"},
		"surge, and the chaos took the new one": {true, "+a1:v1 ra v2 +b1:v2 rb xb ~b ~a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := tell(t, c.surge, c.story)
			want := strings.FieldsFunc(c.want, func(r rune) bool { return r == '\n' })
			if len(got) != len(want) {
				t.Fatalf("verdict %q, want %q", got, c.want)
			}
			for i := range want {
				if !strings.Contains(got[i], want[i]) {
					t.Errorf("verdict %q, want %q", got[i], want[i])
				}
			}
		})
	}
}

// tell tells a story to a judge and gives the violations that it finds.
func tell(t *testing.T, surge bool, story string) []string {
	t.Helper()
	j, rev := newJudge(percent), int64(0)
	put := func(key string, o runtime.Object, born bool) {
		rev++
		c := change{key: key, rev: rev, born: born}
		if o != nil {
			c.value = stored(t, o)
		}
		j.take(c)
	}
	ds := newDaemon(names[0])
	if surge {
		ds = newDaemon(names[1])
	}
	ds.UID = "ds"
	put(daemonKeys+ds.Name, ds, true)
	for n := range 10 {
		put(nodeKeys+strconv.Itoa(n), &corev1.Node{}, true)
	}
	pods := map[string]*corev1.Pod{}
	for _, word := range strings.Fields(story) {
		name := word[1:]
		if p := pods[name]; p != nil {
			pods[name] = p.DeepCopy()
		}
		switch word[0] {
		case '+':
			name = word[1:2]
			node, version, _ := strings.Cut(word[2:], ":")
			pods[name] = podOn(ds, name, node, version)
			put(podKeys+name, pods[name], true)
			continue
		case '-':
			put(podKeys+name, nil, false)
			continue
		case 'v':
			ds.Spec.Template.Spec.Containers[0].Image = "example.test/daemon:" + word
			put(daemonKeys+ds.Name, ds, false)
			continue
		case 'x':
			j.willDisturb(types.UID(name))
			continue
		case 'n':
			node := map[byte]runtime.Object{'+': &corev1.Node{}}[word[2]]
			put(nodeKeys+word[1:2], node, node != nil)
			continue
		case 'r':
			pods[name].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		case '~':
			now := metav1.Now()
			pods[name].DeletionTimestamp = &now
		case 'f':
			pods[name].Status.Phase = corev1.PodFailed
		}
		put(podKeys+name, pods[name], false)
	}
	var texts []string
	for _, v := range j.violations {
		texts = append(texts, v.text)
	}
	return texts
}

func podOn(ds *appsv1.DaemonSet, name, node, version string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}, Spec: *ds.Spec.Template.Spec.DeepCopy()}
	p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(ds, appsv1.SchemeGroupVersion.WithKind("DaemonSet"))}
	p.Spec.NodeName, p.Spec.Containers[0].Image = node, "example.test/daemon:"+version
	return p
}

// stored is an object in the form in which etcd has it.
func stored(t *testing.T, o runtime.Object) []byte {
	t.Helper()
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		t.Fatal(err)
	}
	o = o.DeepCopyObject()
	o.GetObjectKind().SetGroupVersionKind(gvks[0])
	var b bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(o, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestAudit reads a log with a torn line, a delete without UID, and a write after another replica took the lease.
func TestAudit(t *testing.T) {
	line := func(second int, replica, verb, resource, rest string) string {
		return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"` + verb + `","user":{"username":"` + controllerUser +
			`","extra":{"authentication.kubernetes.io/credential-id":["` + replica + `"]}},"objectRef":{"resource":"` + resource + `","name":"p"},` +
			`"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-01T00:00:0` + strconv.Itoa(second) + `.000000Z"` + rest + "}\n"
	}
	const withUID = `,"requestObject":{"preconditions":{"uid":"u"}},"responseObject":{"metadata":{"uid":"u"}}`
	log := line(1, "A", "update", "leases", "") + line(3, "B", "update", "leases", "") +
		line(2, "A", "delete", "pods", withUID) + line(4, "B", "delete", "pods", withUID) +
		line(5, "B", "delete", "pods", "")[:80] + line(6, "B", "delete", "pods", "") + line(7, "A", "create", "pods", "") + `{"half`
	var events []auditEvent
	a := &audit{writes: map[string]int{}, deleters: map[types.UID][]string{}, trail: map[string][]auditEvent{}}
	for l := range strings.Lines(log) {
		if e, ok := parseEvent([]byte(l)); ok {
			events = append(events, e)
		}
	}
	a.take(events)
	if a.deletes != 2 || len(a.withoutUID) != 1 || len(a.late) != 1 || a.replicas != 2 || a.writes["create pods"] != 1 {
		t.Errorf("%+v", a)
	}
	if unlogged, others := a.blame(map[types.UID]string{"u": "", "v": ""}); unlogged != 1 || len(others) != 0 {
		t.Errorf("%d unlogged, %v", unlogged, others)
	}
}
