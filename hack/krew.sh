#!/bin/sh
# Prints the krew manifest of a release, with the sums of its archives in DIST.
#
#   hack/krew.sh VERSION BASE_URL DIST > everynode.yaml
set -eu
if [ $# -ne 3 ]; then
	echo "usage: hack/krew.sh VERSION BASE_URL DIST > everynode.yaml" >&2
	exit 2
fi
version=$1 base=$2 dist=$3
case $version in
v[0-9]*) ;;
*)
	echo "error: version $version does not begin with v and a number" >&2
	echo "  krew wants a semantic version with a v, such as v0.1.0" >&2
	exit 1
	;;
esac
template=$(dirname "$0")/../config/krew/everynode.yaml

fill="s|VERSION|$version|g; s|BASE_URL|$base|g"
for platform in $(sed -n 's/^ *sha256: SHA256_//p' "$template"); do
	archive=$dist/kubectl-everynode_${version}_$platform.tar.gz
	if [ ! -f "$archive" ]; then
		echo "error: there is no $archive" >&2
		echo "  build the plugin for $platform first, or take it out of config/krew/everynode.yaml" >&2
		exit 1
	fi
	sum=$(sha256sum "$archive")
	fill="$fill; s|SHA256_$platform|${sum%% *}|"
done
sed -e '/^#/d' -e "$fill" "$template"
