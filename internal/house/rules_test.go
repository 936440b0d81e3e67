package house

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// goodDoc is a package comment that every room accepts.
const goodDoc = "// Package x is an example.\n//\n// In: facts. Out: a value. Never: it writes nothing.\npackage x\n"

// bad is one small tree that breaks one rule.
type bad struct {
	name  string
	files map[string]string
	// want are the beginnings of the problems, in order: "file:line: [rule] text…". None means a clean tree.
	want []string
}

var importCases = []bad{
	{"an import along the table", map[string]string{"internal/plan/a.go": imports(Module + "/internal/fleet")}, nil},
	{"a package may import its own room", map[string]string{
		"internal/plan/sub/doc.go": goodDoc, "internal/plan/a.go": imports(Module + "/internal/plan/sub"),
	}, nil},
	{
		"an import against the table",
		map[string]string{"internal/fleet/a.go": imports(Module + "/internal/plan")},
		[]string{"internal/fleet/a.go:3: [import] internal/fleet may not import internal/plan (it may import: none of ours)"},
	},
	{
		"an unknown room",
		map[string]string{"internal/attic/doc.go": goodDoc},
		[]string{"internal/attic/doc.go:1: [room] internal/attic is in no room of the house: add it to Rooms in internal/house/table.go"},
	},
	{
		"an import of an unknown room",
		map[string]string{"internal/plan/a.go": imports(Module + "/internal/attic")},
		[]string{"internal/plan/a.go:3: [import] internal/attic is in no room"},
	},
	{
		"nobody imports a command",
		map[string]string{"internal/engine/a.go": imports(Module + "/cmd/everynode/sub")},
		[]string{"internal/engine/a.go:3: [import] internal/engine may not import cmd/everynode: nobody imports a command"},
	},
	{
		"the small binary does not link the lab",
		map[string]string{"cmd/everynode-controller/a.go": imports(Module + "/internal/lab")},
		[]string{"cmd/everynode-controller/a.go:3: [import] cmd/everynode-controller may not import internal/lab"},
	},
	{"the big binary may", map[string]string{"cmd/everynode/a.go": imports(Module + "/internal/lab")}, nil},
	{"a test may look at any cheap room", map[string]string{"internal/fleet/a_test.go": imports(Module + "/internal/simworld")}, nil},
	{
		"a test does not pull in the lab",
		map[string]string{"internal/fleet/a_test.go": imports(Module + "/internal/lab")},
		[]string{"internal/fleet/a_test.go:3: [import] tests of internal/fleet may not import internal/lab"},
	},
	{
		"kubernetes outside the lab",
		map[string]string{"internal/engine/a.go": imports("k8s.io/kubernetes/pkg/controller/daemon")},
		[]string{"internal/engine/a.go:3: [import] internal/engine may not import k8s.io/kubernetes/pkg/controller/daemon"},
	},
	{
		"kubernetes in a test of a cheap room",
		map[string]string{"internal/match/a_test.go": imports("k8s.io/kubernetes/pkg/controller")},
		[]string{"internal/match/a_test.go:3: [import] internal/match may not import k8s.io/kubernetes"},
	},
	{"kubernetes in the lab, the oracle and end-to-end tests", map[string]string{
		"internal/lab/a.go":         imports("k8s.io/kubernetes/cmd/kube-apiserver/app", "go.etcd.io/etcd/server/v3/embed"),
		"internal/oracle/a_test.go": imports("k8s.io/kubernetes/pkg/controller/daemon"),
		"test/e2e/a_test.go":        imports("k8s.io/kubernetes/test/e2e/apps"), "test/e2e/doc.go": goodDoc,
	}, nil},
	{
		"etcd outside the lab",
		map[string]string{"internal/oracle/a_test.go": imports("go.etcd.io/etcd/server/v3/embed")},
		[]string{"internal/oracle/a_test.go:3: [import] internal/oracle may not import go.etcd.io/etcd"},
	},
	{
		"a client in a plain room",
		map[string]string{"internal/metrics/a.go": imports("k8s.io/client-go/rest")},
		[]string{"internal/metrics/a.go:3: [import] internal/metrics is a plain room and may not import k8s.io/client-go/rest"},
	},
}

var pureCases = []bad{
	{"what a pure room may use", map[string]string{"internal/plan/a.go": imports("time", "sort", "k8s.io/api/core/v1", "k8s.io/apimachinery/pkg/labels")}, nil},
	{
		"what a pure room may not import",
		map[string]string{"internal/plan/a.go": imports("context", "net/http", "os", "log/slog", "k8s.io/klog/v2",
			"github.com/go-logr/logr", "k8s.io/client-go/tools/cache", "github.com/prometheus/client_golang/prometheus", "math/rand/v2")},
		[]string{
			"internal/plan/a.go:3: [pure] a pure room may not import context", "internal/plan/a.go:4: [pure] a pure room may not import net/http",
			"internal/plan/a.go:5: [pure] a pure room may not import os", "internal/plan/a.go:6: [pure] a pure room may not import log/slog",
			"internal/plan/a.go:7: [pure] a pure room may not import k8s.io/klog/v2", "internal/plan/a.go:8: [pure] a pure room may not import github.com/go-logr/logr",
			"internal/plan/a.go:9: [pure] a pure room may not import k8s.io/client-go/tools/cache",
			"internal/plan/a.go:10: [pure] a pure room may not import github.com/prometheus/client_golang/prometheus",
			"internal/plan/a.go:11: [pure] a pure room may not import math/rand/v2",
		},
	},
	{"tests of a pure room are free", map[string]string{"internal/plan/a_test.go": imports("os", "context")}, nil},
	{"a client room is free", map[string]string{"internal/act/a.go": imports("context", "k8s.io/client-go/kubernetes")}, nil},
	{
		"reading the clock",
		map[string]string{"internal/plan/a.go": "package x\n\nimport \"time\"\n\nvar start = time.Now()\n\nfunc f() { <-time.After(time.Second) }\n"},
		[]string{"internal/plan/a.go:5: [pure] a pure room may not use time.Now", "internal/plan/a.go:7: [pure] a pure room may not use time.After"},
	},
	{
		"reading the clock under another name",
		map[string]string{"internal/plan/a.go": "package x\n\nimport clock \"time\"\n\nvar start = clock.Now\n"},
		[]string{"internal/plan/a.go:5: [pure] a pure room may not use clock.Now"},
	},
	{
		"a clock by dot import",
		map[string]string{"internal/plan/a.go": "package x\n\nimport . \"time\"\n\nvar start = Now()\n"},
		[]string{"internal/plan/a.go:3: [pure] a dot import of time"},
	},
	{
		"the API's own clock",
		map[string]string{"internal/report/a.go": "package x\n\nimport metav1 \"k8s.io/apimachinery/pkg/apis/meta/v1\"\n\nvar start = metav1.Now()\n"},
		[]string{"internal/report/a.go:5: [pure] a pure room may not use metav1.Now"},
	},
	{
		"a goroutine",
		map[string]string{"internal/fleet/a.go": "package x\n\nfunc f() {\n\tgo f()\n}\n"},
		[]string{"internal/fleet/a.go:4: [pure] a pure room starts no goroutine"},
	},
	{
		"an exported name without a comment",
		map[string]string{"internal/fleet/a.go": "package x\n\ntype Node struct{}\n\nfunc (Node) Fit() {}\n\n" +
			"func (node) Hidden() {}\n\ntype node struct{}\n\nconst (\n\tA = 1\n\tB = 2 // B says it here\n)\n\n// Fine is.\nvar Fine int\n\nfunc (Node) String() string { return \"\" }\n"},
		[]string{"internal/fleet/a.go:3: [comment] exported Node", "internal/fleet/a.go:5: [comment] exported Fit", "internal/fleet/a.go:12: [comment] exported A has no doc comment"},
	},
}

var shapeCases = []bad{
	{
		"no doc.go",
		map[string]string{"internal/act/doc.go": "", "internal/act/act.go": "package act\n"},
		[]string{"internal/act/doc.go:1: [doc] package internal/act has no doc.go"},
	},
	{
		"a package comment that says too little",
		map[string]string{"internal/act/doc.go": "// Package act writes.\npackage act\n"},
		[]string{"internal/act/doc.go:2: [doc] the package comment has 1 lines, at least 3 are wanted"},
	},
	{
		"a package comment without its limits",
		map[string]string{"internal/act/doc.go": "// Package act writes.\n//\n// It takes plans and returns answers.\npackage act\n"},
		[]string{"internal/act/doc.go:4: [doc] the package comment does not say what it never does"},
	},
	{
		"a package comment without what comes in and out",
		map[string]string{"internal/act/doc.go": "// Package act is\n// a thing which\n// never sleeps.\npackage act\n"},
		[]string{"internal/act/doc.go:4: [doc] the package comment does not say what comes in", "internal/act/doc.go:4: [doc] the package comment does not say what goes out"},
	},
	{"commands need only explain themselves", map[string]string{"cmd/everynode/doc.go": "// Command everynode\n// is for\n// people.\npackage main\n"}, nil},
	{
		"a name that says nothing",
		map[string]string{"internal/plan/util/doc.go": goodDoc},
		[]string{"internal/plan/util/doc.go:4: [name] a package named \"util\" says nothing"},
	},
	{
		"a package clause that says nothing",
		map[string]string{"internal/act/doc.go": strings.ReplaceAll(goodDoc, "package x", "package helpers")},
		[]string{"internal/act/doc.go:4: [name] a package named \"helpers\" says nothing"},
	},
	{
		"a file of 401 lines",
		map[string]string{"internal/act/a.go": "package x\n" + strings.Repeat("\n", 400), "internal/act/b.go": "package x\n" + strings.Repeat("\n", 399)},
		[]string{"internal/act/a.go:401: [size] the file has 401 lines, at most 400 are allowed"},
	},
	{"a generated file may be long", map[string]string{"internal/act/a.go": "// Code generated by hand. DO NOT EDIT.\n\npackage x\n" + strings.Repeat("\n", 400)}, nil},
	{
		"a function of 61 lines",
		map[string]string{"internal/act/a.go": "package x\n\nfunc f() {\n" + strings.Repeat("\n", 59) + "}\n\nfunc g() {\n" + strings.Repeat("\n", 58) + "}\n"},
		[]string{"internal/act/a.go:3: [size] function f has 61 lines, at most 60 are allowed"},
	},
	{"a test may be long", map[string]string{"internal/act/a_test.go": "package x\n\nfunc f() {\n" + strings.Repeat("\n", 99) + "}\n"}, nil},
	{
		"unfinished work",
		map[string]string{"internal/act/a.go": "package x\n\n// TO" + "DO: later\n", "internal/act/a_test.go": "package x\n\nvar s = \"FIX" + "ME\"\n"},
		[]string{"internal/act/a.go:3: [leftover] TO" + "DO marks unfinished work", "internal/act/a_test.go:3: [leftover] FIX" + "ME"},
	},
	{"directories that hold no source of ours", map[string]string{"internal/act/testdata/a.go": "broken", "internal/pins/pins.go": "package pins\n", "tools/a.go": "package tools\n"}, nil},
	{"a file that does not parse", map[string]string{"internal/act/a.go": "package"}, []string{"internal/act/a.go:1: [parse] the file does not parse"}},
}

// TestEachRuleBites shows that every rule can fail: a checker that never complains would pass any tree.
func TestEachRuleBites(t *testing.T) {
	for _, group := range [][]bad{importCases, pureCases, shapeCases} {
		for _, c := range group {
			t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) { c.run(t) })
		}
	}
}

func (c bad) run(t *testing.T) {
	tree, problems, err := Load(fixture(c.files))
	if err != nil {
		t.Fatal(err)
	}
	problems = append(problems, Check(tree, Rooms)...)
	got := []string{}
	for i, problem := range problems {
		text := problem.String()
		if i < len(c.want) && strings.HasPrefix(text, c.want[i]) {
			text = c.want[i]
		}
		got = append(got, text)
	}
	if diff := cmp.Diff(append([]string{}, c.want...), got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// fixture builds a file system and gives each package a good doc.go, unless the case brings one. An empty text
// means that the file is absent.
func fixture(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		if doc := name[:strings.LastIndex(name, "/")] + "/doc.go"; files[doc] == "" && fsys[doc] == nil {
			if _, brought := files[doc]; !brought {
				fsys[doc] = &fstest.MapFile{Data: []byte(goodDoc)}
			}
		}
		if text != "" {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}

// imports is a file that imports each path, one a line, from line 3 on.
func imports(paths ...string) string {
	text := "package x\n\n"
	for _, path := range paths {
		text += "import _ \"" + path + "\"\n"
	}
	return text
}
