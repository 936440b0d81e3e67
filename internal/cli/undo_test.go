package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// What was shown is what is written: the patch carries the version that was read, and a conflict changes nothing.
func TestWriteIsForWhatWasRead(t *testing.T) {
	var sent map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPatch || json.Unmarshal(body, &sent) != nil {
			t.Errorf("%s %s: %s, %v", r.Method, r.URL, body, err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusConflict)
		status := metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonConflict, Code: http.StatusConflict}
		if err := json.NewEncoder(w).Encode(status); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	cmd := &cobra.Command{}
	c := NewConnection(Env{Program: "everynode"}, cmd)
	if err := cmd.Flags().Set("server", server.URL); err != nil {
		t.Fatal(err)
	}
	live := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "d", UID: "uid", ResourceVersion: "42"}}
	err := c.write(t.Context(), live, "be restarted", []byte(`{"spec":{"template":{"metadata":{}}}}`))

	metadata, _ := sent["metadata"].(map[string]any)
	if metadata["resourceVersion"] != "42" || metadata["uid"] != "uid" || sent["spec"] == nil {
		t.Errorf("sent %v", sent)
	}
	var told *Error
	if !errors.As(err, &told) || told.What != "DaemonSet ns/d was not changed" || told.Why != "somebody changed or deleted it after it was read" {
		t.Errorf("got %v", err)
	}
}

func TestAsk(t *testing.T) {
	for answer, want := range map[string]error{"y\n": nil, "YES\n": nil, "n\n": Exit(1), "\n": Exit(1), "": Exit(1)} {
		var talk bytes.Buffer
		c := &Connection{Env: Env{Streams: genericiooptions.IOStreams{In: strings.NewReader(answer), ErrOut: &talk}}}
		if err := c.ask("Go back to revision 3?"); !errors.Is(err, want) {
			t.Errorf("answer %q: %v, want %v", answer, err, want)
		}
		if !strings.HasPrefix(talk.String(), "Go back to revision 3? [y/N] ") {
			t.Errorf("asked %q", talk.String())
		}
	}
}
