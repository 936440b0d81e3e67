package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const good = `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: agent
spec:
  selector:
    matchLabels: {app: agent}
  template:
    metadata:
      labels: {app: agent}
    spec:
      containers:
      - name: agent
        image: example.com/agent:1
        resources:
          requests:
            cpu: 100m
`

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadsAllWaysToNameAManifest(t *testing.T) {
	dir := t.TempDir()
	second := strings.ReplaceAll(good, "agent", "second")
	file := write(t, dir, "one.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n"+good+"---\n"+second)
	write(t, dir, "deep/two.yaml", strings.ReplaceAll(good, "agent", "deep"))
	write(t, dir, "notes.txt", "not a manifest: [")
	list := write(t, dir, "deep/list.json", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"listed","namespace":"there"}}]}`)
	write(t, dir, "kustomize/ds.yaml", good)
	write(t, dir, "kustomize/kustomization.yaml", "resources: [ds.yaml]\nnamePrefix: my-\nnamespace: built\n")
	for _, c := range []struct {
		name   string
		src    Source
		want   []string
		others int
	}{
		{"a file with documents", Source{Files: []string{file}}, []string{"default/agent from one.yaml:5", "default/second from one.yaml:23"}, 1},
		{"a directory", Source{Files: []string{dir}}, []string{"default/agent from one.yaml:5", "default/second from one.yaml:23"}, 1},
		{"-R", Source{Files: []string{dir + "/deep"}, Recursive: true}, []string{"there/listed from list.json:1", "default/deep from two.yaml:1"}, 0},
		{"stdin", Source{Files: []string{"-"}, Stdin: strings.NewReader(good), Namespace: "mine"}, []string{"mine/agent from STDIN:1"}, 0},
		{"stdin and a list", Source{Files: []string{"-", list}, Stdin: strings.NewReader(good)}, []string{"default/agent from STDIN:1", "there/listed from list.json:1"}, 0},
		{"-k", Source{Kustomize: dir + "/kustomize"}, []string{"built/my-agent from "}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, others, err := Read(c.src)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range list {
				from := filepath.Base(m.From)
				if c.src.Kustomize != "" {
					from = ""
				}
				got = append(got, m.DaemonSet.Namespace+"/"+m.DaemonSet.Name+" from "+from)
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") || others != c.others {
				t.Errorf("got\n%s\nand %d others; want\n%s\nand %d", strings.Join(got, "\n"), others, strings.Join(c.want, "\n"), c.others)
			}
		})
	}
}

func TestABrokenManifestNamesThePlace(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		want           Broken
	}{
		{"no YAML", "metadata:\n", "metadata: {\n", Broken{Line: 3, Why: "did not find expected"}},
		{"unknown field", "image:", "imagee:", Broken{Line: 14, Field: "spec.template.spec.containers[0].imagee", Why: "there is no such field"}},
		{"wrong type", "spec:\n  selector", "spec:\n  minReadySeconds: soon\n  selector", Broken{Line: 6, Field: "spec.minReadySeconds", Why: "a string stands where a number belongs"}},
		{"wrong type in a list", "image: example.com/agent:1", "image: [1]", Broken{Line: 14, Field: "spec.template.spec.containers.image", Why: "a list stands where a string belongs"}},
		{"no amount", "cpu: 100m", "cpu: lots", Broken{Line: 17, Field: "spec.template.spec.containers[0].resources.requests.cpu", Why: `"lots" is no amount`}},
		{"twice", "  name: agent\n", "  name: agent\n  name: other\n", Broken{Line: 5, Why: "name stands here again, after line 4"}},
		{"old version", "apps/v1", "extensions/v1beta1", Broken{Line: 1, Field: "apiVersion", Why: "write apps/v1"}},
		{"other namespace", "  name: agent\n", "  name: agent\n  namespace: there\n", Broken{Line: 5, Field: "metadata.namespace", Why: "--namespace says here"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := write(t, t.TempDir(), "f.yaml", strings.Replace(good, c.from, c.to, 1))
			_, _, err := Read(Source{Files: []string{file}, Namespace: "here", Enforced: true})
			got, ok := err.(*Broken) //nolint:errorlint // nothing wraps it
			if !ok || got.File != file || got.Line != c.want.Line || got.Field != c.want.Field || !strings.Contains(got.Why, c.want.Why) {
				t.Errorf("got %+v, want %+v", err, c.want)
			}
		})
	}
	if _, _, err := Read(Source{Files: []string{"/nowhere/f.yaml"}}); err == nil || err.Error() != "/nowhere/f.yaml: there is no such file" {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, _, err := Read(Source{Files: []string{"-"}, Stdin: strings.NewReader(" \n")}); err == nil || err.Error() != "stdin: nothing came in" {
		t.Errorf("empty stdin: %v", err)
	}
}
