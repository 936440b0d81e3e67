package command

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// How the built-in controller is switched off.
const switchOff = "kube-controller-manager --controllers=*,-daemonset-controller"

// warnOfBuiltIn looks for a kube-controller-manager that manages DaemonSets too. It can see those that run as Pods with the
// label that kubeadm gives, as most do that one can configure; for all others the log says what must be so.
func warnOfBuiltIn(ctx context.Context, client kubernetes.Interface, log *slog.Logger) {
	pods, err := client.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: "component=kube-controller-manager"})
	if err != nil {
		if ctx.Err() == nil {
			log.Warn("whether the built-in controller is off is not known", "error", err, "must be", switchOff)
		}
		return
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; managesDaemonSets(&p.Spec) {
			log.Error("the built-in controller manages DaemonSets as well: both create and delete Pods; switch it off",
				"pod", p.Namespace+"/"+p.Name, "must be", switchOff)
		}
	}
	if len(pods.Items) == 0 {
		log.Info("make sure that the built-in controller is off; its process cannot be seen from here", "must be", switchOff)
	}
}

// managesDaemonSets reads the command line of a kube-controller-manager, whose --controllers is "*" unless given. The first
// entry that names a controller decides, and then the star.
func managesDaemonSets(spec *corev1.PodSpec) bool {
	var list []string
	for _, c := range spec.Containers {
		for _, arg := range slices.Concat(c.Command, c.Args) {
			if v, ok := strings.CutPrefix(arg, "--controllers="); ok {
				list = append(list, strings.Split(v, ",")...)
			}
		}
	}
	if len(list) == 0 {
		return true
	}
	star := false
	for _, name := range list {
		switch strings.TrimSpace(name) {
		case "daemonset-controller", "daemonset": // the second is the name that it had before 1.28
			return true
		case "-daemonset-controller", "-daemonset":
			return false
		case "*":
			star = true
		}
	}
	return star
}
