package acceptance

import (
	"strconv"
	"strings"
)

// sum adds up the samples of a metric in Prometheus' text format that carry all these labels, written key=value.
func sum(text, metric string, labels ...string) float64 {
	total := 0.0
lines:
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), metric)
		if !ok || !strings.ContainsAny(rest[:1], "{ ") {
			continue
		}
		for _, l := range labels {
			key, value, _ := strings.Cut(l, "=")
			pair := key + `="` + value + `"`
			if !strings.Contains(rest, "{"+pair) && !strings.Contains(rest, ","+pair) {
				continue lines
			}
		}
		if v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64); err == nil {
			total += v
		}
	}
	return total
}
