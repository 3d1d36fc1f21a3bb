# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# A platform: kernel, boot archive and manifest of one version. The boot archive is three cpio archives in a row, none
# compressed as a whole since both squashfs already are: the initramfs, base.squashfs, nereid.squashfs.

do_platform() {
	local work=$STAGE_WORK stamp=$1
	mkdir -p "$work"/{initramfs/bin,initramfs/modules,layer,live} "$STAGE_OUT/$stamp"
	cp -a "$PROGRAMS/." "$work/layer/"
	cp -a "$LIVE/overlay/." "$work/layer/"
	cp -a "$BASE/initrd/." "$UTS/nereid_uts.ko" "$work/initramfs/modules/"
	cp "$BASE/initrd.order" "$work/initramfs/modules/order"
	echo "$stamp" >"$work/initramfs/stamp"
	add_bootfiles "$work/layer/usr/lib/nereid/boot"
	cp "$LIVE/lib/platform-build" "$LIVE/units" "$work/live/"
	in_root -b "$work:/out" -- bash /out/live/platform-build "$stamp" "$RELEASE"
	# Microcode is found by the kernel only in an uncompressed archive at the very beginning.
	cat $(ls "$BASE/microcode.cpio" 2>/dev/null) "$work/initramfs.cpio" "$BASE/base.cpio" "$work/nereid.cpio" >"$STAGE_OUT/$stamp/boot_archive"
	cp "$BASE/kernel" "$STAGE_OUT/$stamp/kernel"
	manifest "$stamp" >"$STAGE_OUT/$stamp/manifest.json"
}

manifest() {
	local f sep=
	printf '{"stamp":"%s","version":1,"kernel_release":"%s","created":"%s","files":[' "$1" "$KREL" \
		"$(date -u -d "$(sed -E 's/(....)(..)(..)T(..)(..)(..)Z/\1-\2-\3 \4:\5:\6 UTC/' <<<"$1")" +%Y-%m-%dT%H:%M:%SZ)"
	for f in kernel boot_archive; do
		printf '%s{"name":"%s","size":%s,"sha256":"%s"}' "$sep" "$f" "$(stat -c %s "$STAGE_OUT/$1/$f")" \
			"$(sha256sum <"$STAGE_OUT/$1/$f" | cut -d' ' -f1)"
		sep=,
	done
	printf ']}\n'
}

# The stamp is the time at which these contents were first put together, so the same tree keeps its version.
need_platform() {
	need_base
	need_programs
	need_uts
	need_bootfiles
	RELEASE=$(cat "$TOP/VERSION")
	local key
	key=$( (basename "$BASE"; basename "$PROGRAMS"; basename "$UTS"; basename "$BOOTFILES"; echo "$RELEASE ${NEREID_STAMP:-}"
		hash_files "$LIVE/overlay"; cat "$LIVE/lib/platform-build" "$LIVE/lib/platform.sh" "$LIVE/units") | hash_of)
	STAMP=${NEREID_STAMP:-$(cat "$BUILD/platform/stamp-$key" 2>/dev/null || date -u +%Y%m%dT%H%M%SZ)}
	[[ $STAMP =~ ^[0-9]{8}T[0-9]{6}Z$ ]] || die "NEREID_STAMP=$STAMP: a platform version reads YYYYMMDDTHHMMSSZ"
	PLATFORM=$BUILD/platform/key-$key
	stage platform "$PLATFORM" do_platform "$STAMP"
	mkdir -p "$BUILD/platform"
	echo "$STAMP" >"$BUILD/platform/stamp-$key"
	ln -sfn "key-$key/$STAMP" "$BUILD/platform/$STAMP"
	[ -n "${NEREID_STAMP:-}" ] || ln -sfn "key-$key/$STAMP" "$BUILD/platform/current"
	prune_platforms
}

# The two newest made without a stamp of their own, and those made with one in the last day.
prune_platforms() {
	local p
	for p in $(cd "$BUILD/platform" && ls -dt key-* | grep -v partial | tail -n +5); do
		rm -rf "$BUILD/platform/$p" "$BUILD/platform/stamp-${p#key-}"
	done
	find "$BUILD/platform" -maxdepth 1 -xtype l -delete
}
