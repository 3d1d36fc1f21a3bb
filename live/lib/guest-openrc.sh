# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# A root as Alpine's, made of what Debian has: busybox as init and as everything else, OpenRC with its inittab. Beside
# it lie OpenRC's own init and, in /usr/lib/sysvinit, the one of sysvinit, which tests put in its place.

do_guest_openrc() {
	local root=$STAGE_WORK/root
	sources_list >"$BUILD/sources.list"
	mmdebstrap --mode=root --variant=extract --format=directory --include=busybox-static,openrc,sysvinit-core \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/*' "$SUITE" "$root" - \
		<"$BUILD/sources.list"
	rm -rf "$root"/dev/* "$root"/etc/{apt,dpkg,debconf.conf,resolv.conf,hostname,insserv*} "$root"/var/{cache,lib/apt}/*
	find "$root/etc/init.d" -type f ! -exec grep -q openrc-run {} \; -delete # sysvinit's, which take long to read
	mkdir -p "$root"/{proc,sys,run,root,home,var/log,usr/lib/sysvinit}
	mv "$root"/usr/sbin/{init,halt,poweroff,reboot,shutdown,runlevel,telinit} "$root/usr/lib/sysvinit/"
	local link
	ln -s ../run "$root/var/run"
	for link in bin sbin lib lib64; do
		ln -sfn usr/$link "$root/$link"
	done
	chroot "$root" /bin/busybox --list-full | while read -r link; do
		link=$root/usr/${link#usr/}
		[ -e "$link" ] || [ -L "$link" ] || ln -s /usr/bin/busybox "$link"
	done
	cp -a "$LIVE/guest-openrc/." "$root/"
	chown -R 0:0 "$root"
	tar -C "$root" --sort=name -cf "$STAGE_WORK/root.tar" .
	in_root -b "$STAGE_WORK:/out" -- zstd -q -T0 -6 /out/root.tar -o /out/root.tar.zst
	mv "$STAGE_WORK/root.tar.zst" "$STAGE_OUT"
}

need_guest_openrc() {
	need_buildroot
	local out
	out=$CACHE/guest-openrc-$( (basename "$RESOLVED"; cat "$LIVE/lib/guest-openrc.sh"; hash_files "$LIVE/guest-openrc") |
		hash_of)
	stage guest-openrc "$out" do_guest_openrc
	ln -sfn "$out" "$BUILD/guest-openrc.tar.zst"
}
