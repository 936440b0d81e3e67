package simnode

import (
	"net/netip"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// host is where a node sits in the simulated network: node number n has the address 172.16.0.0+n, and its Pods have
// addresses of 10.0.0.0/8 from its own block of 256. The number is kept in the Node's InternalIP and nowhere else.
type host struct {
	number uint32
	ip     string
}

const (
	firstHost = uint32(172<<24 | 16<<16)
	firstPod  = uint32(10 << 24)
	maxHosts  = 1 << 16
)

func address(n uint32) string {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

func hostOf(number uint32) host { return host{number: number, ip: address(firstHost + number)} }

// addressOf is the InternalIP that the Node shows; "" when it has none.
func addressOf(node *corev1.Node) string {
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// numberOf reads the node's number from an address that hostOf has made.
func numberOf(ip string) (uint32, bool) {
	addr, err := netip.ParseAddr(ip)
	if err != nil || !addr.Is4() {
		return 0, false
	}
	b := addr.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return n - firstHost, n > firstHost && n < firstHost+maxHosts
}

// podIP is the address of the Pod: the one it has, the host's, or the lowest that is free in the node's block.
func (k *kubelet) podIP(m *member) string {
	switch {
	case m.pod.Status.PodIP != "":
		return m.pod.Status.PodIP
	case m.pod.Spec.HostNetwork:
		return k.host.ip
	}
	taken := map[string]bool{}
	for _, other := range k.pods {
		if !isTerminal(other.pod) {
			taken[other.pod.Status.PodIP] = true
		}
	}
	base := firstPod + k.host.number<<8
	for i := uint32(2); ; i++ {
		if ip := address(base + i); !taken[ip] {
			return ip
		}
	}
}

// book hands out node numbers. The number at the end of a node's name is preferred, so that node-003 is 172.16.0.3.
type book struct {
	mu     sync.Mutex
	owners map[uint32]string
}

func newBook() *book { return &book{owners: map[uint32]string{}} }

// place is the node's place: the one its InternalIP tells, or a free one.
func (b *book) place(node *corev1.Node) host {
	b.mu.Lock()
	defer b.mu.Unlock()
	ip := addressOf(node)
	if n, ok := numberOf(ip); ok {
		b.owners[n] = node.Name
		return hostOf(n)
	}
	n := trailingNumber(node.Name)
	for range maxHosts {
		if owner, taken := b.owners[n]; n != 0 && (!taken || owner == node.Name) {
			break
		}
		n = (n + 1) % maxHosts
	}
	b.owners[n] = node.Name
	h := hostOf(n)
	if ip != "" {
		h.ip = ip // somebody chose an address outside our network; the Pods still need a block
	}
	return h
}

// leave frees the places of a node that is gone.
func (b *book) leave(name string, h host) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owners[h.number] == name {
		delete(b.owners, h.number)
	}
}

// trailingNumber reads the number at the end of a name; 1 when there is none.
func trailingNumber(name string) uint32 {
	digits := name[len(strings.TrimRight(name, "0123456789")):]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return 1
	}
	return uint32(n)
}
