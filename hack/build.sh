#!/bin/sh
# Builds one command and shows that it is building: a first build compiles all of Kubernetes' control plane, which
# takes minutes, and go build says nothing meanwhile.
#
#   hack/build.sh OUTPUT LDFLAGS PACKAGE
set -eu
out=$1 ldflags=$2 pkg=$3
mkdir -p "$(dirname "$out")"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'kill "$pid" 2>/dev/null || true; exit 130' INT TERM

begun=$(date +%s)
# -v names each package as its compilation begins; packages that are up to date are not named.
go build -v -ldflags "$ldflags" -o "$out" "$pkg" >"$log" 2>&1 &
pid=$!

shown=
while kill -0 "$pid" 2>/dev/null; do
	sleep 1
	n=$(wc -l <"$log")
	now=$(($(date +%s) - begun))
	if [ "$n" -eq 0 ] && [ "$now" -lt 3 ]; then
		continue
	fi
	if [ -z "$shown" ]; then
		echo "building $out   (the first time compiles all of Kubernetes and takes minutes; later ones take seconds)" >&2
		shown=yes
	fi
	if [ -t 2 ]; then
		printf '\r  %4ds  %5d packages compiled   ' "$now" "$n" >&2
	elif [ $((now % 30)) -eq 0 ]; then
		printf '  %4ds  %5d packages compiled\n' "$now" "$n" >&2
	fi
done
if [ -n "$shown" ] && [ -t 2 ]; then printf '\n' >&2; fi

if ! wait "$pid"; then
	# What failed, without the thousands of names of packages that did not.
	grep -v -E '^[a-z0-9.-]+(/[A-Za-z0-9._~-]+)*$' "$log" >&2 || cat "$log" >&2
	echo "error: $out was not built" >&2
	exit 1
fi
