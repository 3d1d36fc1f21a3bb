# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# The base: everything on the node that Debian made, in one squashfs: runtime packages without what a node
# never uses, the kernel's pruned modules, the ZFS modules. Our own programs are a second, small layer.

# Quick for daily builds, small for what is given away.
SQUASH_LEVEL=${NEREID_SQUASH_LEVEL:-6}

# The key that signs modules: given, or made once and kept apart from the cache, since nodes enrol it.
need_signing_key() {
	SIGN_DIR=${NEREID_SIGN_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/nereid/signing}
	[ -s "$SIGN_DIR/key.pem" ] && [ -s "$SIGN_DIR/cert.pem" ] && return 0
	stage_signing_key
}

stage_signing_key() {
	mkdir -p "$SIGN_DIR"
	chmod 700 "$SIGN_DIR"
	(umask 077 && in_root -b "$SIGN_DIR:/out" -- openssl req -x509 -new -newkey rsa:2048 -sha256 -nodes -days 7300 \
		-subj "/CN=Nereid module signing ($(date -u +%Y-%m-%d))/" -addext keyUsage=digitalSignature \
		-addext extendedKeyUsage=codeSigning -addext basicConstraints=critical,CA:FALSE \
		-keyout /out/key.pem -out /out/cert.pem 2>"$BUILD/log/signing-key.log") ||
		die "making the module signing key in $SIGN_DIR failed: $BUILD/log/signing-key.log"
	in_root -b "$SIGN_DIR:/out" -- openssl x509 -in /out/cert.pem -outform DER -out /out/cert.der
	say "  module signing key made in $SIGN_DIR"
}

need_firmware() {
	NONFREE=$CACHE/firmware-$(hash_of <"$RESOLVED/firmware")
	stage firmware "$NONFREE" fetch firmware
}

# add_firmware DIR: all of it, for base-build to choose from
add_firmware() {
	local deb
	mkdir -p "$1/firmware"
	for deb in "$NONFREE"/*.deb; do
		dpkg-deb -x "$deb" "$1/firmware"
	done
	cp "$NONFREE/versions" "$1/live/firmware"
}

do_base() {
	local work=$STAGE_WORK
	cp -a "$RUNTIME" "$work/root"
	mkdir -p "$work/kernel" "$work/live" "$STAGE_OUT"
	dpkg-deb -x "$TUPLE"/linux-image-*.deb "$work/kernel"
	cp "$ZFS"/*.ko "$work/"
	cp "$LIVE"/modules.* "$LIVE/slim" "$LIVE/lib/base-build" "$LIVE/lib/spdx.py" "$TUPLE/versions" "$work/live/"
	[ -z "${FIRMWARE:-}" ] || add_firmware "$work"
	in_root -b "$work:/out" -b "$SIGN_DIR:/in" -b "$STAGE_OUT:/cache" -- \
		bash /out/live/base-build "$KREL" "$SQUASH_LEVEL"
}

# The runtime root is mostly waiting for packages, the ZFS modules mostly compiling: both at once.
need_zfs_and_runtime() {
	need_buildroot
	need_tuple
	mkdir -p "$BUILD/log"
	(need_runtime) >"$BUILD/log/runtime-ahead.log" 2>&1 &
	AHEAD=$!
	trap 'kill "$AHEAD" 2>/dev/null || :' EXIT
	need_zfs
	need_runtime # waits for it, or says what was wrong
	wait "$AHEAD" || :
	trap - EXIT
}

need_base() {
	need_zfs_and_runtime
	need_signing_key
	[ -z "${FIRMWARE:-}" ] || need_firmware
	BASE=$CACHE/base-$( (basename "$RUNTIME" "$TUPLE"; basename "$ZFS"; echo "$SQUASH_LEVEL ${NONFREE:-}"
		sha256sum <"$SIGN_DIR/cert.pem"
		cat "$LIVE"/modules.* "$LIVE/slim" "$LIVE/lib/base-build" "$LIVE/lib/spdx.py") | hash_of)
	stage base "$BASE" do_base
}
