package plan

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"github.com/everynode/everynode/internal/fleet"
)

const (
	// alphabet has no vowels and nothing that looks alike, as the API server's own suffixes.
	alphabet   = "bcdfghjklmnpqrstvwxz2456789"
	suffixLen  = 10
	longestPod = 63 // a host name's limit, which the kubelet cuts Pod names at
)

// Name is the Pod name that anyone who decides for this slot from the same facts computes, so that a second create
// meets AlreadyExists (D10). The salt is empty, or the UIDs of what holds the names that come first: a Pod on this node that
// is to be replaced or surged, one that is to be released, or a foreign one.
func Name(d *fleet.Daemon, s *fleet.Slot) string {
	salt := ""
	if taken := s.Trouble().Taken; taken != "" {
		salt = "/" + string(taken)
	}
	held := slices.Concat(s.Pods, d.Mismatched())
	for {
		name := derive(d.Key.Name, string(d.UID), s.NodeName, salt)
		i := slices.IndexFunc(held, func(p *fleet.Pod) bool { return p.Name == name })
		if i < 0 {
			return name
		}
		salt += "/" + string(held[i].UID)
	}
}

func derive(daemon, uid, node, salt string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{uid, node, salt}, "\x00")))
	suffix := make([]byte, suffixLen)
	for i := range suffix {
		// 256 is no multiple of 27; two bytes a letter make the bias too small to matter.
		suffix[i] = alphabet[(int(sum[2*i])<<8|int(sum[2*i+1]))%len(alphabet)]
	}
	if room := longestPod - suffixLen - 1; len(daemon) > room {
		daemon = strings.TrimRight(daemon[:room], "-.")
	}
	return daemon + "-" + string(suffix)
}

func labelText(l map[string]string) string {
	parts := make([]string, 0, len(l))
	for _, k := range slices.Sorted(maps.Keys(l)) {
		parts = append(parts, k+"="+l[k])
	}
	return strings.Join(parts, ",")
}
