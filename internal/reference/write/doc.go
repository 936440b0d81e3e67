// Command write puts the made files in their places; go generate runs it.
//
// It takes the contents that internal/reference gives, and writes those that differ below the root of the repository. It never
// writes anywhere else.
package main
