package house

import (
	"slices"
	"strings"
)

// Module is the import path under which this repository's packages live.
const Module = "github.com/everynode/everynode"

// Kind says what a room may touch beside its permitted imports.
type Kind string

const (
	// Pure rooms decide. They hold no client, logger, metric, clock or goroutine: time and facts come in as
	// values, work goes out as a value.
	Pure Kind = "pure"
	// Plain rooms hold declarations or data; they may use the standard library but no Kubernetes client.
	Plain Kind = "plain"
	// Client rooms may talk to a Kubernetes API server.
	Client Kind = "client"
	// Test rooms exist for tests only and may import whatever they need.
	Test Kind = "test"
)

// All in Room.Imports permits every other room.
const All = "all"

// Room is one package directory of the house, with the packages below it.
type Room struct {
	// Path is the directory, relative to the repository's root.
	Path string
	// Kind decides which rules beside the import table hold inside.
	Kind Kind
	// Imports are the paths of the other rooms that this one may import, or All.
	Imports []string
	// Links are the heavy modules that only this room may import.
	Links []string
}

// Rooms is the import table of ARCHITECTURE.md; a test keeps the two equal. Rooms that do not exist yet may be
// listed, packages that are not listed may not exist.
var Rooms = []Room{
	{Path: "cmd/everynode", Kind: Client, Imports: []string{All}},
	{Path: "cmd/everynode-controller", Kind: Client, Imports: internal("command")},
	{Path: "cmd/kubectl-everynode", Kind: Client, Imports: internal("cli")},
	{Path: "api/v1alpha1", Kind: Plain},
	{Path: "internal/feed", Kind: Client, Imports: internal("fleet")},
	{Path: "internal/fleet", Kind: Pure},
	{Path: "internal/match", Kind: Pure, Imports: internal("fleet")},
	{Path: "internal/revision", Kind: Pure},
	{Path: "internal/plan", Kind: Pure, Imports: internal("match", "fleet", "revision")},
	{Path: "internal/report", Kind: Pure, Imports: internal("plan", "fleet")},
	{Path: "internal/act", Kind: Client, Imports: internal("plan", "report", "revision", "fleet")},
	{Path: "internal/command", Kind: Client, Imports: internal("engine", "metrics", "plan")},
	{Path: "internal/engine", Kind: Client, Imports: internal("feed", "fleet", "match", "revision", "plan", "report", "act", "metrics", "live")},
	{Path: "internal/live", Kind: Pure, Imports: internal("fleet")},
	{Path: "internal/snapshot", Kind: Pure, Imports: internal("plan", "match", "fleet", "revision", "live")},
	{Path: "internal/explain", Kind: Pure, Imports: internal("plan", "match", "fleet", "snapshot", "live")},
	{Path: "internal/cluster", Kind: Client, Imports: internal("snapshot", "live")},
	{Path: "internal/cli", Kind: Client, Imports: internal("cluster", "snapshot", "explain", "preview", "progress", "feed", "plan", "match", "fleet", "revision", "live")},
	{Path: "internal/preview", Kind: Pure, Imports: internal("plan", "match", "fleet", "revision")},
	{Path: "internal/progress", Kind: Pure, Imports: internal("plan", "match", "fleet", "revision")},
	{Path: "internal/metrics", Kind: Plain},
	{Path: "internal/dashboard", Kind: Plain},
	{Path: "internal/reference", Kind: Plain, Imports: append(internal("fleet", "report", "metrics", "dashboard", "command", "cli"), "config")},
	{Path: "config", Kind: Plain},
	{Path: "internal/simnode", Kind: Client},
	{Path: "internal/simworld", Kind: Client, Imports: internal("feed", "fleet", "match", "revision", "plan", "report", "explain", "act", "engine")},
	{
		Path: "internal/lab", Kind: Client, Imports: append(internal("engine", "simnode", "plan", "metrics"), "config"),
		Links: []string{"k8s.io/kubernetes", "go.etcd.io/etcd"},
	},
	{Path: "internal/oracle", Kind: Test, Imports: []string{All}, Links: []string{"k8s.io/kubernetes"}},
	{Path: "internal/house", Kind: Plain},
	{Path: "test", Kind: Test, Imports: []string{All}, Links: []string{"k8s.io/kubernetes"}},
}

// Exempt directories are not part of the house. internal/pins is a list of blank imports behind a build tag that
// is never set; it only keeps modules required.
var Exempt = []string{"internal/pins"}

// heavy modules take minutes to compile, so each is linked by the rooms that name it in Links and by no other.
var heavy = []string{"k8s.io/kubernetes", "go.etcd.io/etcd"}

// forbiddenNames say nothing about what a package is for.
var forbiddenNames = []string{"util", "utils", "common", "helper", "helpers", "misc"}

func internal(names ...string) []string {
	paths := make([]string, 0, len(names))
	for _, name := range names {
		paths = append(paths, "internal/"+name)
	}
	return paths
}

// roomOf finds the room that dir belongs to: the longest Path that is dir or a parent of it.
func roomOf(rooms []Room, dir string) (Room, bool) {
	var found Room
	for _, room := range rooms {
		if within(dir, room.Path) && len(room.Path) > len(found.Path) {
			found = room
		}
	}
	return found, found.Path != ""
}

// within reports whether path is root or lies below it; it serves directories and import paths alike.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// mayImport reports whether code in room r may import a package of the room target.
func (r Room) mayImport(target Room) bool {
	return r.Path == target.Path || slices.Contains(r.Imports, All) || slices.Contains(r.Imports, target.Path)
}
