#!/usr/bin/env bash
# Runs every fuzz target for a while, one after the other, and prints a line for each.
#
#   hack/fuzz.sh [DURATION] [PATTERN]      30s for each; PATTERN chooses targets by name
#
# What a run finds is left under the package's testdata/fuzz, where go test tries it from then on.
# Go would shorten each interesting input for up to a minute, which is all the time that a target has; 200 tries do.
# FUZZ_PARALLEL is the number of workers, 1 unless set: a developer's machine has other work.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-30s}
pattern=${2:-.}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# go test fuzzes one target of one package at a time. go test -list would compile every package to tell their names.
targets=$(grep -rEo --include='*_test.go' --exclude-dir='.*' '^func Fuzz[A-Za-z0-9_]*' -- * |
	sed -E 's|^(.*)/[^/]*:func (Fuzz.*)$|\1 \2|' | sort -u)
failed=0 ran=0 skipped='' heavy='' light=''
while read -r dir name; do
	[[ $name =~ $pattern ]] || continue
	if [[ $dir != "$heavy" && $dir != "$light" ]]; then
		if go list -deps -test "./$dir" | grep '^k8s\.io/kubernetes/' >/dev/null; then
			heavy=$dir skipped+=" $dir"
		else
			light=$dir
		fi
	fi
	[[ $dir != "$heavy" ]] || continue
	ran=$((ran + 1))
	if go test "./$dir" -run '^$' -fuzz "^$name\$" -fuzztime "$duration" -fuzzminimizetime 200x -parallel "${FUZZ_PARALLEL:-1}" >"$log" 2>&1; then
		last=$(grep -E 'execs: [0-9]+' "$log" | tail -n 1 || true)
		execs=$(sed -nE 's/.*execs: ([0-9]+) .*/\1/p' <<<"$last")
		elapsed=$(sed -nE 's/.*elapsed: ([0-9]+)s,.*/\1/p' <<<"$last")
		interesting=$(sed -nE 's/.*new interesting: [0-9]+ \(total: ([0-9]+)\).*/\1/p' <<<"$last")
		printf 'ok    %-20s %-18s %10s execs  %7s/s  corpus %s\n' "$dir" "$name" "${execs:-0}" \
			"$((${execs:-0} / (${elapsed:-0} > 0 ? ${elapsed:-0} : 1)))" "${interesting:-0}"
	else
		failed=$((failed + 1))
		printf 'FAIL  %-20s %s\n' "$dir" "$name"
		sed 's/^/      /' "$log"
	fi
done <<<"$targets"
if [[ -n $skipped ]]; then
	echo "skipped, as they link k8s.io/kubernetes:$skipped"
fi
if ((ran == 0)); then
	echo "error: no fuzz target is called $pattern" >&2
	exit 1
fi
echo "$ran targets, $failed failed"
((failed == 0))
