package simworld

import "maps"

// Shrink gives a smaller schedule that violates the same invariant, as small as leaving out single things makes it: steps,
// faults of requests, kinds of faults. It plays at most tries schedules.
func Shrink(s Schedule, i Invariant, tries int) Schedule {
	fails := func(c Schedule) bool {
		tries--
		w := Play(c, false)
		return len(w.Found) > 0 && w.Found[0].Invariant == i
	}
	for shrunk := true; shrunk && tries > 0; {
		shrunk = false
		for size := max(1, len(s.Steps)/2); size >= 1 && tries > 0; size /= 2 {
			for at := len(s.Steps) - size; at >= 0 && tries > 0; at -= size {
				if c := s.withoutSteps(at, size); fails(c) {
					s, shrunk = c, true
					at = min(at, len(s.Steps))
				}
			}
		}
		for _, n := range sortedKeys(s.Calls) {
			c := s
			c.Calls = maps.Clone(s.Calls)
			delete(c.Calls, n)
			if tries > 0 && fails(c) {
				s, shrunk = c, true
			}
		}
		for f := range faultCount {
			c := s
			c.Setup.Faults = s.Setup.Faults.Without(f)
			if tries > 0 && s.Setup.Faults.Has(f) && fails(c) {
				s, shrunk = c, true
			}
		}
	}
	return s
}

// withoutSteps leaves steps out; those after them keep their time.
func (s Schedule) withoutSteps(at, size int) Schedule {
	steps := append([]Step{}, s.Steps[:at]...)
	rest := append([]Step{}, s.Steps[at+size:]...)
	if len(rest) > 0 {
		for _, gone := range s.Steps[at : at+size] {
			rest[0].After += gone.After
		}
	}
	s.Steps = append(steps, rest...)
	return s
}
