# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# What `make bench machines-peers` runs beside vmadm: Debian 13's Incus and LXC with ZFS's programs, as an archive for a node.

MACHINE_PEERS=incus-base,incus-client,lxc,zfsutils-linux,systemd,busybox-static,util-linux,mount,iproute2

do_incus() {
	sources_list >"$BUILD/sources.list"
	mmdebstrap --mode=root --variant=essential --format=tar --include="$MACHINE_PEERS" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"$SUITE" "$STAGE_WORK/root.tar" - <"$BUILD/sources.list"
	in_root -b "$STAGE_WORK:/out" -- zstd -q -T0 -6 /out/root.tar -o /out/root.tar.zst
	mv "$STAGE_WORK/root.tar.zst" "$STAGE_OUT"
}

need_incus() {
	need_buildroot
	local out
	out=$CACHE/incus-$( (basename "$RESOLVED"; cat "$LIVE/lib/incus.sh") | hash_of)
	stage incus "$out" do_incus
	ln -sfn "$out" "$BUILD/incus.tar.zst"
}
