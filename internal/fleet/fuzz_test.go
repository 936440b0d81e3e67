package fleet

import (
	"math/big"
	"regexp"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// largest keeps two amounts and their sum within an int64, CPU in thousandths. A node has less.
const largest = int64(1) << 51

// units is the exact number of units that an amount takes, CPU in thousandths: a part of one takes a whole one.
func units(name corev1.ResourceName, q resource.Quantity) *big.Int {
	exact, _ := new(big.Rat).SetString(q.AsDec().String())
	if name == corev1.ResourceCPU {
		exact.Mul(exact, big.NewRat(1000, 1))
	}
	whole, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return whole
}

// slow are amounts that apimachinery takes minutes to parse or to compare: it writes out the power of ten.
var slow = regexp.MustCompile(`\d\.?[eE][+-]?\d{3}`)

func amountOf(t *testing.T, text string) resource.Quantity {
	if slow.MatchString(text) || len(text) > 40 {
		t.Skip("long numbers take long")
	}
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 || q.CmpInt64(largest) > 0 {
		t.Skip("no amount that the API server takes and a node has")
	}
	return q
}

// FuzzResources: two requests fit exactly when their exact sum is at most what there is.
func FuzzResources(f *testing.F) {
	f.Add("cpu", "500m", "1500m", "2")
	f.Add("memory", "1Gi", "1", "1073741824")
	f.Add("example.com/gpu", "1", "1", "1")
	f.Fuzz(func(t *testing.T, resourceName, textA, textB, textHave string) {
		name := corev1.ResourceName(resourceName)
		a, b, have := amountOf(t, textA), amountOf(t, textB), amountOf(t, textHave)
		listOf := func(q resource.Quantity) corev1.ResourceList { return corev1.ResourceList{name: q} }
		rA, rB, room := NewResources(listOf(a)), NewResources(listOf(b)), NewResources(listOf(have))
		var sum, turned Resources
		sum.Add(rA)
		sum.Add(rB)
		turned.Add(rB)
		turned.Add(rA)
		want := new(big.Int).Add(units(name, a), units(name, b)).Cmp(units(name, have)) <= 0
		if got := room.Covers(sum); got != want {
			t.Errorf("%s: %s and %s into %s: %v, want %v", name, textA, textB, textHave, got, want)
		}
		if !sum.Equal(turned) || !rA.Equal(NewResources(listOf(a))) || !rB.Equal(NewResources(listOf(b))) {
			t.Errorf("%+v or %+v: the order counts, or a summand has changed: %+v, %+v", sum, turned, rA, rB)
		}
		if equal := units(name, a).Cmp(units(name, b)) == 0; equal != rA.Equal(rB) {
			t.Errorf("%s and %s: equal %v, want %v", textA, textB, !equal, equal)
		}
		container := func(r corev1.ResourceRequirements) *corev1.PodSpec {
			return &corev1.PodSpec{Containers: []corev1.Container{{Resources: r}, {}}}
		}
		limited, asked := container(corev1.ResourceRequirements{Limits: listOf(a)}), container(corev1.ResourceRequirements{Requests: listOf(a)})
		if !requestsOf(limited).Equal(requestsOf(asked)) || limited.Containers[0].Resources.Requests != nil {
			t.Errorf("a limit of %s counts as %+v, a request as %+v", textA, requestsOf(limited), requestsOf(asked))
		}
		asked.Containers[0].Resources.Limits = listOf(b)
		if got := requestsOf(asked); name != corev1.ResourcePods && !room.Covers(rA) && room.Covers(got) {
			t.Errorf("a limit of %s hides the request of %s", textB, textA)
		}
	})
}

// FuzzHostPort: two ports clash where the scheduler says so: same number and protocol, and the same address or one that
// stands for all. Beyond it, :: stands for all as well, as it does for a socket.
func FuzzHostPort(f *testing.F) {
	f.Add("", "TCP", int32(80), "10.0.0.1", "", int32(80), false)
	f.Add("127.0.0.1", "UDP", int32(53), "::", "UDP", int32(53), true)
	f.Fuzz(func(t *testing.T, ipA, protocolA string, portA int32, ipB, protocolB string, portB int32, hostNetwork bool) {
		if portA <= 0 || portB <= 0 {
			t.Skip("the API server refuses it")
		}
		read := func(ip, protocol string, port int32) HostPort {
			p := corev1.ContainerPort{HostIP: ip, Protocol: corev1.Protocol(protocol), HostPort: port}
			if hostNetwork {
				p.HostPort, p.ContainerPort = 0, port
			}
			ports := hostPortsOf(&corev1.PodSpec{HostNetwork: hostNetwork, Containers: []corev1.Container{{Ports: []corev1.ContainerPort{p}}}})
			if len(ports) != 1 || ports[0].Port != port {
				t.Fatalf("%+v is read as %+v", p, ports)
			}
			return ports[0]
		}
		orDefault := func(text, otherwise string) string {
			if text == "" {
				return otherwise
			}
			return text
		}
		a, b := read(ipA, protocolA, portA), read(ipB, protocolB, portB)
		same := portA == portB && orDefault(protocolA, "TCP") == orDefault(protocolB, "TCP")
		ipA, ipB = orDefault(ipA, "0.0.0.0"), orDefault(ipB, "0.0.0.0")
		want := same && (ipA == ipB || ipA == "0.0.0.0" || ipB == "0.0.0.0" || ipA == "::" || ipB == "::")
		if a.Clashes(b) != want || b.Clashes(a) != want {
			t.Errorf("%+v and %+v: %v and %v, want %v", a, b, a.Clashes(b), b.Clashes(a), want)
		}
		if !a.Clashes(a) {
			t.Errorf("%+v does not clash with itself", a)
		}
	})
}

// FuzzBackoff: failure after failure the delay doubles, from first up to longest; only calm or another epoch ends that.
// Each byte is a failure: its upper half says in which epoch, its lower half how long after the wait.
func FuzzBackoff(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0}, uint32(1000), uint32(15000), uint32(60000))
	f.Add([]byte{0, 0, 15, 0, 16, 16}, uint32(1), uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, failures []byte, firstMS, moreMS, calmMS uint32) {
		first := max(time.Duration(firstMS), 1) * time.Millisecond
		longest := first + time.Duration(moreMS)*time.Millisecond
		calm := time.Duration(calmMS) * time.Millisecond
		now, b := t0, Backoff{}
		for i, failure := range failures {
			epoch, last := int64(failure>>4), b
			gap := time.Duration(failure&15) * (calm + 2*last.Delay) / 8
			if !last.Until.IsZero() {
				now = last.Until.Add(gap)
			}
			b = last.Next(now, epoch, first, longest, calm)
			want := first
			if i > 0 && epoch == last.Epoch && (gap < calm || gap < 2*last.Delay) {
				want = min(2*last.Delay, longest)
			}
			if b.Delay != want || b.Delay < first || b.Delay > longest {
				t.Fatalf("failure %d, %v after %v: %v, want %v", i, gap, last.Delay, b.Delay, want)
			}
			if !b.Until.Equal(now.Add(b.Delay)) || !b.Waits(now, epoch) || b.Waits(b.Until, epoch) || b.Waits(now, epoch+1) {
				t.Fatalf("failure %d at %v waits wrongly: %+v", i, now, b)
			}
		}
	})
}
