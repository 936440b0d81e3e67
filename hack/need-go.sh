#!/bin/sh
# Stops with advice when there is no Go to build with. Any Go from 1.21 on fetches the version that go.mod names.
command -v go >/dev/null 2>&1 && exit 0
cat >&2 <<'TEXT'
error: there is no go command
  everynode is built from source with Go, and PATH has none
  nothing was built
  install it:    apt-get install golang-go   or   https://go.dev/dl
  then:          make up
TEXT
exit 1
