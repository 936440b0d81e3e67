package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/resource"
)

// Source is where manifests are.
type Source struct {
	// Files are files, directories, addresses, or - for Stdin.
	Files     []string
	Kustomize string
	Recursive bool
	Stdin     io.Reader
	// Namespace is for objects that name none. If Enforced, no other may be named.
	Namespace string
	Enforced  bool
}

// Manifest is one DaemonSet as it is written.
type Manifest struct {
	DaemonSet *appsv1.DaemonSet
	// JSON is the object with every field that was written, and no other.
	JSON []byte
	// From is the file and line.
	From string

	file string
	doc  document
}

// Broken says of a field that it cannot be as it is written.
func (m *Manifest) Broken(field, why string) error {
	return &Broken{File: m.file, Line: m.doc.line(field), Field: field, Why: why}
}

// Read reads all DaemonSets. others is how many objects of other kinds were passed over.
func Read(src Source) (list []Manifest, others int, err error) {
	texts, err := src.texts()
	if err != nil {
		return nil, 0, err
	}
	b := resource.NewLocalBuilder().Unstructured().Flatten()
	files := resource.FilenameOptions{Kustomize: src.Kustomize, Recursive: src.Recursive}
	for _, f := range src.Files {
		if f == "-" {
			b = b.Stream(bytes.NewReader(texts[stdin].raw), stdin)
			continue
		}
		files.Filenames = append(files.Filenames, f)
	}
	if len(files.Filenames) > 0 || files.Kustomize != "" {
		b = b.FilenameParam(false, &files)
	}
	infos, err := b.Do().Infos()
	if err != nil {
		return nil, 0, err
	}
	for _, info := range infos {
		o, ok := info.Object.(*unstructured.Unstructured)
		if !ok || o.GetKind() != "DaemonSet" {
			others++
			continue
		}
		m, err := src.one(o, texts[info.Source], info.Source)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, m)
	}
	return list, others, nil
}

func (src *Source) one(o *unstructured.Unstructured, t text, file string) (Manifest, error) {
	doc := t.find(o)
	broken := func(field, format string, args ...any) error {
		return &Broken{File: file, Line: doc.line(field), Field: field, Why: fmt.Sprintf(format, args...)}
	}
	switch {
	case o.GetAPIVersion() != "apps/v1":
		return Manifest{}, broken("apiVersion", "%s is served by no Kubernetes of today: write apps/v1", o.GetAPIVersion())
	case o.GetName() == "":
		return Manifest{}, broken("metadata.name", "a DaemonSet needs a name")
	case src.Enforced && o.GetNamespace() != "" && o.GetNamespace() != src.Namespace:
		return Manifest{}, broken("metadata.namespace", "it is %s, and --namespace says %s: leave one of them out", o.GetNamespace(), src.Namespace)
	case o.GetNamespace() == "" && src.Namespace != "":
		o.SetNamespace(src.Namespace)
	case o.GetNamespace() == "":
		o.SetNamespace(metav1.NamespaceDefault)
	}
	raw, err := o.MarshalJSON()
	if err != nil {
		return Manifest{}, err
	}
	ds, p := decode(raw)
	if p != nil {
		return Manifest{}, broken(p.field, "%s", p.why)
	}
	from := file
	if n := doc.line(""); n > 0 {
		from = fmt.Sprintf("%s:%d", file, n)
	}
	return Manifest{DaemonSet: ds, JSON: bytes.TrimSpace(raw), From: from, file: file, doc: doc}, nil
}

// stdin is what cli-runtime calls it.
const stdin = "STDIN"

// texts reads every local file, by its path, so that a mistake can be told with its line.
func (src *Source) texts() (map[string]text, error) {
	out := map[string]text{}
	for _, f := range src.Files {
		switch {
		case f == "-":
			raw, err := io.ReadAll(src.Stdin)
			if err != nil {
				return nil, fmt.Errorf("read the manifest from stdin: %w", err)
			}
			if len(bytes.TrimSpace(raw)) == 0 {
				return nil, &Broken{File: "stdin", Why: "nothing came in"}
			}
			if out[stdin], err = parse(stdin, raw); err != nil {
				return nil, err
			}
		case strings.HasPrefix(f, "http://"), strings.HasPrefix(f, "https://"):
		default:
			if err := src.walk(f, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (src *Source) walk(path string, out map[string]text) error {
	found, err := resource.ExpandPathsToFileVisitors(nil, path, src.Recursive, resource.FileExtensions, nil)
	if errors.Is(err, os.ErrNotExist) {
		return &Broken{File: path, Why: "there is no such file"}
	}
	if err != nil {
		return err
	}
	for _, v := range found {
		f, ok := v.(*resource.FileVisitor)
		if !ok {
			continue
		}
		raw, err := os.ReadFile(f.Path)
		if err != nil {
			return &Broken{File: f.Path, Why: err.Error()}
		}
		if out[f.Path], err = parse(f.Path, raw); err != nil {
			return err
		}
	}
	return nil
}
