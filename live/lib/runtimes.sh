# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# What `make bench` runs beside zones: Debian 13's own container runtimes with what they need, as a directory (for the build
# machine) and as an archive (for a node), and the system call filter that podman gives crun. Nothing else uses it.

RUNTIME_PEERS=crun,runc,lxc,systemd-container,systemd,busybox-static,util-linux,mount,iproute2

# The file alone: with its package would come podman's network and image tools.
# shellcheck disable=SC2016 # mmdebstrap's own variables
PODMANS_FILTER='cd "$1/tmp" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq download golang-github-containers-common &&
	dpkg-deb -x golang-github-containers-common_*.deb x && cp x/usr/share/containers/seccomp.json "$1/../" && rm -rf x ./*.deb'

do_runtimes() {
	sources_list >"$BUILD/sources.list"
	mkdir -p "$STAGE_OUT"
	mmdebstrap --mode=root --variant=essential --format=directory --include="$RUNTIME_PEERS" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--customize-hook="$PODMANS_FILTER" "$SUITE" "$STAGE_OUT/root" - <"$BUILD/sources.list"
	in_root -b "$STAGE_OUT:/out" -- sh -c 'tar -C /out/root -c --exclude=./dev --exclude=./var/lib/apt --exclude=./var/cache . |
		zstd -q -T0 -6 -o /out/root.tar.zst'
}

need_runtimes() {
	need_buildroot
	RUNTIMES=$CACHE/runtimes-$( (basename "$RESOLVED"; cat "$LIVE/lib/runtimes.sh") | hash_of)
	stage runtimes "$RUNTIMES" do_runtimes
	ln -sfn "$RUNTIMES" "$BUILD/runtimes"
}
