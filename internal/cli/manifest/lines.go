package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Broken is a manifest that cannot be used, with the place.
type Broken struct {
	File  string
	Line  int // 0 if it is not known
	Field string
	Why   string
}

// Error gives "FILE:LINE: field: why".
func (b *Broken) Error() string {
	text := b.File
	if b.Line > 0 {
		text += ":" + strconv.Itoa(b.Line)
	}
	if b.Field != "" {
		text += ": " + b.Field
	}
	return text + ": " + b.Why
}

// text is a file with its documents.
type text struct {
	raw  []byte
	docs []*yaml.Node
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// parse finds mistakes in the YAML itself.
func parse(file string, raw []byte) (text, error) {
	t := text{raw: raw}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	for {
		var node yaml.Node
		err := d.Decode(&node)
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err == nil {
			err = doubled(&node)
		}
		if err != nil {
			m := yamlLine.FindStringSubmatch(err.Error())
			line, _ := strconv.Atoi(m[1]) // no line is 0, which says that it is not known
			why := strings.TrimPrefix(err.Error(), m[0])
			if line > 0 && strings.HasPrefix(why, "did not find") {
				line++ // the library counts these from 0, and all others from 1
			}
			return text{}, &Broken{File: file, Line: line, Why: why}
		}
		if len(node.Content) > 0 {
			t.docs = append(t.docs, node.Content[0])
		}
	}
}

// doubled finds a key that stands twice in one object, of which the first would be forgotten.
func doubled(node *yaml.Node) error {
	if node.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if first := seen[key.Value]; first > 0 && key.Value != "<<" {
				return fmt.Errorf("line %d: %s stands here again, after line %d: one of the two would be ignored", key.Line, key.Value, first)
			}
			seen[key.Value] = key.Line
		}
	}
	for _, child := range node.Content {
		if err := doubled(child); err != nil {
			return err
		}
	}
	return nil
}

// document is a part of a file; nil where lines are not known.
type document struct{ node *yaml.Node }

// find gives the document that an object was read from. A List's item is found as well.
func (t text) find(o *unstructured.Unstructured) document {
	for _, doc := range t.docs {
		candidates := []*yaml.Node{doc}
		if items := member(doc, "items"); items != nil {
			candidates = append(candidates, items.Content...)
		}
		for _, c := range candidates {
			if valueOf(c, "kind") == o.GetKind() && valueOf(member(c, "metadata"), "name") == o.GetName() {
				return document{c}
			}
		}
	}
	return document{}
}

// line is where a field stands, or the nearest of its parents that is written.
func (d document) line(field string) int {
	if d.node == nil {
		return 0
	}
	node, line := d.node, d.node.Line
	for _, part := range strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		var next *yaml.Node
		if i, err := strconv.Atoi(part); err == nil && node.Kind == yaml.SequenceNode {
			if i < len(node.Content) {
				next = node.Content[i]
				line = next.Line
			}
		} else {
			key, value := entry(node, part)
			if next = value; key != nil {
				line = key.Line
			}
		}
		if next == nil {
			break
		}
		node = next
	}
	return line
}

// entry gives a key and its value. A list stands for those of its items that have the key: the first of them.
func entry(node *yaml.Node, name string) (key, value *yaml.Node) {
	if node == nil {
		return nil, nil
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				return node.Content[i], node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		for _, item := range node.Content {
			if key, value = entry(item, name); key != nil {
				return key, value
			}
		}
	}
	return nil, nil
}

func member(node *yaml.Node, name string) *yaml.Node {
	_, value := entry(node, name)
	return value
}

func valueOf(node *yaml.Node, name string) string {
	if v := member(node, name); v != nil {
		return v.Value
	}
	return ""
}
