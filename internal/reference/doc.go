// Package reference is the librarian: the pages and files that are made from the code, so that they cannot say anything else.
//
// In: the declarations of metrics, reasons, events and conditions, the alert rules, the dashboard, and the commands.
//
// Out: the files' contents by their path in the repository. `go generate ./...` writes them (internal/reference/write), and a
// test fails while one that is committed differs.
//
// Never: it knows nothing by itself. What a reason or a metric means is written where it is declared.
package reference

//go:generate go run ./write
