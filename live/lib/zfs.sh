# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# The OpenZFS modules for the shipped kernel, from Debian's zfs-dkms source but without DKMS: configured and
# built once, without debug information (which is most of the compile time and nine tenths of the size).

do_zfs() {
	local work=$STAGE_WORK
	mkdir -p "$work/deb"
	dpkg-deb -x "$TUPLE"/zfs-dkms_*.deb "$work/deb"
	mv "$work"/deb/usr/src/zfs-*/ "$work/zfs"
	cp "$LIVE/lib/zfs-build" "$work/"
	in_root -b "$work:/out" -- bash /out/zfs-build "$KREL"
	mkdir -p "$STAGE_OUT"
	cp "$work"/zfs/module/{zfs,spl}.ko "$STAGE_OUT/"
}

need_zfs() {
	need_buildroot
	need_tuple
	ZFS=$CACHE/zfs-$( (cat "$TUPLE/versions" "$LIVE/lib/zfs-build"; grep '^gcc-14=' "$RESOLVED/build") | hash_of)
	stage zfs-modules "$ZFS" do_zfs
}
