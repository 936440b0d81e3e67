package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Transport counts the requests that go through it. It is a client-go transport.WrapperFunc: client-go's own metrics are one set
// for the whole process, and where a control plane is linked in they are the control plane's.
func (s *Set) Transport(next http.RoundTripper) http.RoundTripper {
	if s == nil {
		return next
	}
	return transport{s, next}
}

type transport struct {
	set  *Set
	next http.RoundTripper
}

// RoundTrip makes it an http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	began, verb := time.Now(), verbOf(r)
	answer, err := t.next.RoundTrip(r)
	code := "error"
	if err == nil {
		code = strconv.Itoa(answer.StatusCode)
	}
	t.set.requests.WithLabelValues(verb, code).Inc()
	t.set.requestDuration.WithLabelValues(verb).Observe(time.Since(began).Seconds())
	return answer, err
}

// WrappedRoundTripper lets client-go look behind it, to end connections.
func (t transport) WrappedRoundTripper() http.RoundTripper { return t.next }

// verbOf gives the API's verb as far as a request shows it.
func verbOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet:
		if r.URL.Query().Get("watch") == "true" || r.URL.Query().Get("watch") == "1" {
			return "watch"
		}
		return "get"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	default:
		return strings.ToLower(r.Method)
	}
}
