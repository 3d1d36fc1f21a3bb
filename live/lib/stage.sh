# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# Stages: a stage makes one file or directory out of named inputs, at most once, and either whole or not
# at all. Its result is named by the hash of what it depends on, so a stale one is never found; two builds
# that want the same stage at the same time do it once; a failed one leaves its log and is tried again.

say() { printf '%s\n' "$*" >&2; }
die() { say "nereid build: $*"; exit 1; }

elapsed() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# hash_of: a short key of everything on standard input
hash_of() { sha256sum | cut -c1-16; }

# hash_files PATH...: names, modes and contents of files and trees, as one key
hash_files() {
	find "$@" -type f -printf '%m %p\n' | LC_ALL=C sort | while read -r mode path; do
		printf '%s %s ' "$mode" "${path#"$TOP"/}"
		sha256sum <"$path"
	done | hash_of
}

# stage NAME OUT FUNCTION [ARG...]: make OUT with FUNCTION, which writes to $STAGE_OUT, may use the empty
# directory $STAGE_WORK, and gets a log.
stage() {
	local name=$1 out=$2
	shift 2
	used "$out"
	[ -e "$out" ] && return 0
	mkdir -p "$(dirname "$out")" "$BUILD/log"

	local lock
	exec {lock}>"$(dirname "$out")/.lock-$(basename "$out")"
	if ! flock -n "$lock"; then
		say "  $name: being made already, waiting"
		flock "$lock"
	fi
	if [ ! -e "$out" ]; then
		stage_make "$name" "$out" "$@"
	fi
	exec {lock}>&-
}

stage_make() {
	local name=$1 out=$2 log=$BUILD/log/$1.log start=$SECONDS last=$SECONDS
	shift 2
	STAGE_OUT=$out.partial
	STAGE_WORK=$out.work
	rm -rf "$STAGE_OUT" "$STAGE_WORK"
	mkdir "$STAGE_WORK"
	(
		set -eE -o pipefail
		exec >"$log" 2>&1 </dev/null
		trap 'st=$?; echo "$BASH_COMMAND" >"$log.cmd"; exit $st' ERR
		rm -f "$log.cmd"
		"$@"
	) &
	local pid=$!
	STAGE_PID=$pid
	trap 'stage_stop' INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ -t 2 ]; then
			printf '\r\033[K  %-28s %s  %s' "$name" "$(elapsed $((SECONDS - start)))" \
				"$(tail -n 1 "$log" 2>/dev/null | tr -dc '[:print:]' | cut -c1-60)" >&2
		elif ((SECONDS - last >= 30)); then
			last=$SECONDS
			say "  $name: $(elapsed $((SECONDS - start))) ..."
		fi
	done
	[ -t 2 ] && printf '\r\033[K' >&2
	local st=0
	wait "$pid" || st=$?
	trap - INT TERM
	rm -rf "$STAGE_WORK"
	if [ "$st" != 0 ]; then
		say "--- the end of $log"
		tail -n 15 "$log" >&2
		say "---"
		die "stage $name failed (status $st): $(cat "$log.cmd" 2>/dev/null || echo "$1")
              log: $log; run the same command again to go on from here"
	fi
	mv -T "$STAGE_OUT" "$out"
	printf '  %-28s %s\n' "$name" "$(elapsed $((SECONDS - start)))" >&2
}

stage_stop() {
	kill -TERM -- "-$STAGE_PID" 2>/dev/null || kill -TERM "$STAGE_PID" 2>/dev/null
	die "interrupted; the stages that were finished are kept"
}
