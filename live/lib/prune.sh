# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# What the cache keeps: every change of a recipe or a package makes an entry of its kind, of 100 MB and more.

KEEP_OF_A_KIND=4

# used OUT: notes that a stage's result was wanted now
used() { [ "$(dirname "$1")" != "$CACHE" ] || : >"$CACHE/.used-$(basename "$1")"; }

# prune_cache: of each kind of stage, removes all but those used last
prune_cache() {
	local name kind
	local -A seen
	for name in "$CACHE"/*-????????????????; do
		name=${name##*/}
		[ -e "$CACHE/.used-$name" ] || touch -d @0 "$CACHE/.used-$name"
	done
	while read -r _ name; do
		kind=${name%-*}
		seen[$kind]=$((${seen[$kind]:-0} + 1))
		[ "${seen[$kind]}" -gt "$KEEP_OF_A_KIND" ] || continue
		rm -rf "${CACHE:?}/$name" "$CACHE/.used-$name" "$CACHE/.lock-$name"
	done < <(find "$CACHE" -maxdepth 1 -name '.used-*' -printf '%T@ %f\n' | sort -rn | sed 's/ \.used-/ /')
}
