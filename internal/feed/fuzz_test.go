package feed

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// FuzzParseVersion: what upstream's rule takes for a version and is no longer than etcd's numbers is read, two are
// ordered as upstream orders them, and what is refused is quoted.
func FuzzParseVersion(f *testing.F) {
	f.Add("1", "2")
	f.Add("9223372036854775807", "9223372036854775808")
	f.Fuzz(func(t *testing.T, a, b string) {
		vA, errA := ParseVersion(a)
		vB, errB := ParseVersion(b)
		number, ok := new(big.Int).SetString(a, 10)
		if errA == nil && (!ok || number.Cmp(new(big.Int).SetUint64(uint64(vA))) != 0) {
			t.Errorf("%q is read as %d", a, vA)
		}
		if errA != nil && (vA != 0 || !strings.Contains(errA.Error(), "resourceVersion "+strconv.Quote(a))) {
			t.Errorf("%q: %d, %v", a, vA, errA)
		}
		order, err := resourceversion.CompareResourceVersion(a, b)
		if err != nil {
			return
		}
		if errA == nil && errB == nil && cmp.Compare(vA, vB) != order {
			t.Errorf("%q and %q: %d, upstream says %d", a, b, cmp.Compare(vA, vB), order)
		}
		if errA != nil && number.IsInt64() {
			t.Errorf("%q is refused: %v", a, errA)
		}
	})
}
