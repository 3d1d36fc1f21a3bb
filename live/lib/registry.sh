# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# Debian's docker-registry with the libraries it needs, as a directory: what the tests import images from, running beside the
# node. Nothing in it is configured; the tests start it with its own loader, so it runs on any host.

do_registry() {
	sources_list >"$BUILD/sources.list"
	mkdir -p "$STAGE_OUT"
	mmdebstrap --mode=root --variant=extract --format=directory --include=docker-registry \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io "$SUITE" "$STAGE_WORK/root" - <"$BUILD/sources.list"
	cp "$STAGE_WORK/root/usr/bin/docker-registry" "$STAGE_OUT/"
	cp -L "$STAGE_WORK/root/usr/lib/x86_64-linux-gnu/"{ld-linux-x86-64.so.2,libc.so.6,libresolv.so.2,libpthread.so.0} "$STAGE_OUT/"
	cp "$STAGE_WORK/root/usr/share/doc/docker-registry/copyright" "$STAGE_OUT/"
}

need_registry() {
	need_buildroot
	REGISTRY=$CACHE/registry-$( (basename "$RESOLVED"; cat "$LIVE/lib/registry.sh") | hash_of)
	stage registry "$REGISTRY" do_registry
	ln -sfn "$REGISTRY" "$BUILD/registry"
}
