# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# A small Debian 13 as it comes, for lx zones: what the tour and the tests boot; and the same with Debian's cloud-init, which
# the tests of that use. Nothing in either is changed for Nereid.

GUEST_PACKAGES=systemd-sysv,dbus,procps,iproute2,iputils-ping,login
CLOUD_PACKAGES=cloud-init,openssh-server,systemd-resolved # the latter two it expects

# do_guest PACKAGES
do_guest() {
	sources_list >"$BUILD/sources.list"
	mmdebstrap --mode=root --variant=minbase --format=tar --include="$1" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"$SUITE" "$STAGE_WORK/root.tar" - <"$BUILD/sources.list"
	in_root -b "$STAGE_WORK:/out" -- zstd -q -T0 -6 /out/root.tar -o /out/root.tar.zst
	mv "$STAGE_WORK/root.tar.zst" "$STAGE_OUT"
}

# guest_of NAME LINK PACKAGES: the versions are those of the day the node's own were resolved.
guest_of() {
	need_buildroot
	GUEST=$CACHE/$1-$( (basename "$RESOLVED"; echo "$3"; cat "$LIVE/lib/guest.sh") | hash_of)
	stage "$1" "$GUEST" do_guest "$3"
	ln -sfn "$GUEST" "$BUILD/$2"
}

need_guest() { guest_of guest debian-13.tar.zst "$GUEST_PACKAGES"; }
need_guest_cloud() { guest_of guest-cloud debian-13-cloud.tar.zst "$GUEST_PACKAGES,$CLOUD_PACKAGES"; }
