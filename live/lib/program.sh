# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# Our part: the C programs by meson, the one kernel module, and the files of live/overlay, together the tree
# build/programs-KEY that becomes the second layer of the root.

OURS=(meson.build meson.options lib cmd bpf man test/rig-agent test/zone-probe)

ours() {
	local p
	for p in "${OURS[@]}"; do
		[ -e "$TOP/$p" ] && printf '%s\n' "$TOP/$p"
	done
}

do_programs() {
	mkdir -p "$BUILD/meson" "$STAGE_OUT"
	in_root -b "$TOP:/src" -b "$STAGE_OUT:/out" -- bash -ec '
		cd /src
		[ -e build/meson/build.ninja ] || meson setup build/meson --prefix=/usr --libdir=lib --sbindir=sbin \
			-Dtests=false
		ninja -C build/meson
		DESTDIR=/out meson install -C build/meson --no-rebuild --quiet --strip
		for page in man/man?/*.?; do install -Dm644 "$page" "/out/usr/share/$page"; done
	'
}

need_programs() {
	need_buildroot
	PROGRAMS=$BUILD/programs-$( (mapfile -t list < <(ours); hash_files "${list[@]}"; basename "$BUILDROOT"; cat "$LIVE/lib/program.sh") | hash_of)
	stage programs "$PROGRAMS" do_programs
	forget_others "$BUILD/programs-" "$PROGRAMS"
}

do_uts() {
	local work=$STAGE_WORK
	cp "$TOP"/kernel/nereid_uts/* "$work/"
	mkdir -p "$STAGE_OUT"
	in_root -b "$work:/out" -b "$SIGN_DIR:/in" -- bash -ec '
		make -s -C "/usr/src/linux-headers-$1" M=/out modules
		strip -g /out/nereid_uts.ko
		"/usr/lib/linux-kbuild-${1%-amd64}/scripts/sign-file" sha256 /in/key.pem /in/cert.der /out/nereid_uts.ko
	' uts "$KREL"
	cp "$work/nereid_uts.ko" "$STAGE_OUT/"
}

need_uts() {
	need_buildroot
	need_signing_key
	UTS=$CACHE/uts-$( (hash_files "$TOP/kernel/nereid_uts"; basename "$BUILDROOT"; cat "$LIVE/lib/program.sh"; sha256sum <"$SIGN_DIR/cert.pem") | hash_of)
	stage uts-module "$UTS" do_uts
}

# forget_others PREFIX KEEP: build/ holds one of each, not the history
forget_others() {
	local p
	for p in "$1"*; do
		[ "$p" = "$2" ] || rm -rf "$p"
	done
}
