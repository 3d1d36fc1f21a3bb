# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# What `make bench` boots beside a node: Debian 13 as it comes, that is the same packages, kernel, ZFS modules and
# initramfs, with everything Debian starts by itself and nothing of ours.

do_peer() {
	local work=$STAGE_WORK stamp=19700101T000000Z
	cp -a "$RUNTIME" "$work/root"
	mkdir -p "$work/kernel" "$work/initramfs/modules" "$work/empty" "$STAGE_OUT"
	dpkg-deb -x "$TUPLE"/linux-image-*.deb "$work/kernel"
	cp -a "$work/kernel/usr/lib/modules" "$work/root/usr/lib/"
	mkdir -p "$work/root/usr/lib/modules/$KREL/updates"
	cp "$ZFS"/*.ko "$work/root/usr/lib/modules/$KREL/updates/"
	: >"$work/root/etc/machine-id"
	cp -a "$BASE/initrd/." "$UTS/nereid_uts.ko" "$work/initramfs/modules/"
	cp "$BASE/initrd.order" "$work/initramfs/modules/order"
	echo $stamp >"$work/initramfs/stamp"
	cp "$PROGRAMS/usr/lib/nereid/boot/nereid-init" "$work/initramfs/init"
	in_root -b "$work:/out" -- bash -ec '
		depmod -b /out/root -m /usr/lib/modules "$1"
		mkdir -p /out/initramfs/{bin,dev,proc,sys,run,mnt}
		cp /usr/bin/busybox /out/initramfs/bin/
		mknod -m 600 /out/initramfs/dev/console c 5 1
		(cd /out/initramfs && find . | cpio -o -H newc --quiet -R 0:0 >/out/initramfs.cpio)
		cd /out
		mksquashfs root base.squashfs -no-progress -quiet -comp zstd -Xcompression-level 6
		mksquashfs empty nereid.squashfs -no-progress -quiet
		printf "base.squashfs\nnereid.squashfs\n" | cpio -o -H newc --quiet -R 0:0 >/out/squashfs.cpio
	' peer "$KREL"
	cat "$work/initramfs.cpio" "$work/squashfs.cpio" >"$STAGE_OUT/boot_archive"
	cp "$BASE/kernel" "$STAGE_OUT/kernel"
}

need_peer() {
	need_base
	need_programs
	need_uts
	local out
	out=$BUILD/peer-$( (basename "$BASE"; basename "$UTS"; sha256sum <"$PROGRAMS/usr/lib/nereid/boot/nereid-init"
		cat "$LIVE/lib/peer.sh") | hash_of)
	stage debian-peer "$out" do_peer
	forget_others "$BUILD/peer-" "$out"
	ln -sfn "$(basename "$out")" "$BUILD/peer"
}
