package fleet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

// What containers take that run side by side is what the scheduler's own sum says.
func TestContainersTakeWhatTheSchedulerCounts(t *testing.T) {
	names := rapid.SampledFrom([]corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage, "example.com/gpu", "hugepages-2Mi", corev1.ResourcePods})
	amounts := rapid.Custom(func(t *rapid.T) resource.Quantity {
		return resource.MustParse(rapid.SampledFrom([]string{"0", "1", "3", "100m", "1500m", "500u", "1n", "128Mi", "1.5Gi", "2e3", "7E"}).Draw(t, "amount"))
	})
	lists := rapid.MapOfN(names, amounts, 0, 6)
	rapid.Check(t, func(t *rapid.T) {
		spec := &corev1.PodSpec{Containers: make([]corev1.Container, rapid.IntRange(0, 4).Draw(t, "containers"))}
		for i := range spec.Containers {
			spec.Containers[i].Resources = corev1.ResourceRequirements{Requests: lists.Draw(t, "requests"), Limits: lists.Draw(t, "limits")}
		}
		if got, want := requestsOf(spec), schedulersSum(spec); !got.Equal(want) {
			t.Fatalf("%+v, the scheduler says %+v", got, want)
		}
	})
}
