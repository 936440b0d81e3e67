// Package house checks that the source tree keeps the rules of the house: which room may import which, what a
// pure room may not touch, that every package explains itself, and how long files and functions may be.
//
// What comes in: a file system that holds Go source, and the table of rooms (table.go). What goes out: a list of
// problems, each with its file and line, the rule it breaks and what to do about it. It parses and never compiles,
// so it runs in well under a second and works on a tree that does not build yet; it never changes a file.
//
//	source tree ──Load──▶ packages ──Check(Rooms)──▶ problems
//	                                      ▲
//	ARCHITECTURE.md ──ParseTable──▶ must equal Rooms
//
// To add a room, touch two places: Rooms in table.go and the table in ARCHITECTURE.md. A test compares them.
package house
