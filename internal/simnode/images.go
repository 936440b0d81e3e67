package simnode

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// pullable tells whether a simulated registry has the image. It has every image but those whose tag is non-existent
// (upstream's end-to-end tests use foo:non-existent), and those on a registry whose first or last label is "invalid"
// (RFC 2606 reserves that name, and upstream's tests use invalid.registry.k8s.io).
func pullable(image string) bool {
	host, rest, hasPath := strings.Cut(image, "/")
	if !hasPath {
		rest = host
	} else if isRegistry(host) {
		name, _, _ := strings.Cut(host, ":")
		labels := strings.Split(name, ".")
		if labels[0] == "invalid" || labels[len(labels)-1] == "invalid" {
			return false
		}
	}
	rest, _, _ = strings.Cut(rest, "@")
	return !strings.HasSuffix(rest, ":non-existent")
}

// isRegistry tells a registry's host from the first part of a path, by the rule that container tools use.
func isRegistry(part string) bool {
	return strings.ContainsAny(part, ".:") || part == "localhost" || part == "invalid"
}

// pullFails tells whether the container's image cannot be pulled.
func pullFails(f faults, c *corev1.Container) bool {
	return f.pullFailure || !pullable(c.Image)
}

// imageID invents the digest that an image resolves to: the same one on every node.
func imageID(image string) string {
	name, digest, pinned := strings.Cut(image, "@")
	if pinned {
		return name + "@" + digest
	}
	if slash := strings.LastIndex(name, "/"); strings.LastIndex(name, ":") > slash {
		name = name[:strings.LastIndex(name, ":")]
	}
	return name + "@sha256:" + digestOf(image)
}

// containerID invents the identity of one start of one container.
func containerID(pod *corev1.Pod, container string, restarts int32) string {
	return "sim://" + digestOf(string(pod.UID)+"/"+container+"/"+strconv.Itoa(int(restarts)))
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
