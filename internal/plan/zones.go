package plan

import (
	"maps"
	"slices"
)

// zones keeps, for each topology zone, how many nodes it has and how many of them lack an available Pod.
type zones struct {
	size, lost map[string]int
}

func newZones() *zones { return &zones{size: map[string]int{}, lost: map[string]int{}} }

func (z *zones) grow(zone string) { z.size[zone]++ }
func (z *zones) lose(zone string) { z.lost[zone]++ }

// spread picks up to n pairs, each time from the zone that would then have lost the smallest part of its nodes, and
// within a zone by node name.
func (z *zones) spread(from []pair, n int) []pair {
	if n <= 0 {
		return nil
	}
	queues := map[string][]pair{}
	for _, pr := range from { // slots come ordered by node name
		zone := pr.slot.Node.Zone()
		queues[zone] = append(queues[zone], pr)
	}
	names := slices.Sorted(maps.Keys(queues))
	var out []pair
	for len(out) < n && len(out) < len(from) {
		best := ""
		found := false
		for _, zone := range names {
			if len(queues[zone]) > 0 && (!found || z.lessLost(zone, best)) {
				best, found = zone, true
			}
		}
		out = append(out, queues[best][0])
		queues[best] = queues[best][1:]
		z.lost[best]++
	}
	return out
}

// lessLost compares (lost+1)/size without fractions.
func (z *zones) lessLost(a, b string) bool {
	return (z.lost[a]+1)*max(z.size[b], 1) < (z.lost[b]+1)*max(z.size[a], 1)
}
