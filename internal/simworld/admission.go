package simworld

import (
	"errors"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/everynode/everynode/internal/match"
	"github.com/everynode/everynode/internal/simworld/apimodel"
)

// admission is what stands between a request and the store: quota, webhooks, PodSecurity.
type admission struct {
	w *World
	// quota is how many Pods there may be, or -1.
	quota int
	// webhook: the status that it denies with, or 0; node is the only one that it denies, or empty for all.
	webhook, deletes int
	node             string
	mutates          bool
	security         bool
}

func (a *admission) create(pod *corev1.Pod, dryRun bool) error {
	resource := resourceOf(apimodel.Pods)
	if a.mutates {
		a.w.hit(Webhook)
		if pod.Labels == nil {
			pod.Labels = map[string]string{}
		}
		pod.Labels["injected.example.com/by"] = "webhook"
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "sidecar", Image: "sidecar"})
	}
	if a.security {
		a.w.hit(Closing)
		return apierrors.NewForbidden(resource, pod.Name, errors.New("violates PodSecurity \"restricted:latest\": host namespaces (hostNetwork=true)"))
	}
	if on, _ := match.Target(&pod.Spec); a.webhook != 0 && (a.node == "" || a.node == on || a.node == pod.Spec.NodeName) {
		a.w.hit(Webhook)
		return denial(a.webhook)
	}
	if a.quota >= 0 {
		pods, _ := a.w.API.List(apimodel.Pods)
		if len(pods)+1 > a.quota {
			a.w.hit(Quota)
			return apierrors.NewForbidden(resource, pod.Name, fmt.Errorf("exceeded quota: pods, requested: pods=1, used: pods=%d, limited: pods=%d", len(pods), a.quota))
		}
	}
	_ = dryRun // quota and webhooks look at dry runs too
	return nil
}

func (a *admission) delete(*corev1.Pod) error {
	if a.deletes == 0 || a.w.serving == nil {
		return nil
	}
	a.w.hit(Webhook)
	return denial(a.deletes)
}

// denial is what the API server makes of a webhook's no: the webhook chooses the status.
func denial(code int) error {
	reason := metav1.StatusReasonForbidden
	switch code {
	case http.StatusNotFound:
		reason = metav1.StatusReasonNotFound
	case http.StatusConflict:
		reason = metav1.StatusReasonConflict
	case http.StatusInternalServerError:
		reason = metav1.StatusReasonInternalError
	}
	return status(int32(code), reason, `admission webhook "guard.example.com" denied the request: not today`)
}

// lift ends all denial.
func (a *admission) lift() {
	*a = admission{w: a.w, quota: -1}
	clear(a.w.API.Closing)
}
