# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# A small Debian 13 as it comes, for lx zones: what the tour and the tests boot. Nothing in it is changed for Nereid.

GUEST_PACKAGES=systemd-sysv,dbus,procps,iproute2,iputils-ping,login

do_guest() {
	sources_list >"$BUILD/sources.list"
	mmdebstrap --mode=root --variant=minbase --format=tar --include="$GUEST_PACKAGES" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"$SUITE" "$STAGE_WORK/root.tar" - <"$BUILD/sources.list"
	in_root -b "$STAGE_WORK:/out" -- zstd -q -T0 -6 /out/root.tar -o /out/root.tar.zst
	mv "$STAGE_WORK/root.tar.zst" "$STAGE_OUT"
}

# The versions are those of the day the node's own were resolved.
need_guest() {
	need_buildroot
	local out
	out=$CACHE/guest-$( (basename "$RESOLVED"; cat "$LIVE/lib/guest.sh") | hash_of)
	stage guest "$out" do_guest
	ln -sfn "$out" "$BUILD/debian-13.tar.zst"
}
