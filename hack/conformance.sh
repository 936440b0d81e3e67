#!/usr/bin/env bash
# Runs upstream's own specs and shows their count, which go test hides for packages that pass.
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! go test -vet=off -v -timeout 20m ./test/conformance >"$log" 2>&1; then
	cat "$log"
	exit 1
fi
grep -E '^(conformance|ok|FAIL|PASS)' "$log"
