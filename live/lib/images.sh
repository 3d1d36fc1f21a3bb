# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# The images that come with the node, of Debian's packages alone: build/images, which `imgadm sources -a file://...` takes
# as it is. A small Debian 13 for lx zones, and an OCI archive of one program.

# uuid_of SHA256: what has these contents, and nothing else (in the form of version 8)
uuid_of() { sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-8\3-8\4-\5/' <<<"$1"; }

# debian_image NAME: of the tar $GUEST
debian_image() {
	local name=$1 version file
	version=$(date -u -r "$GUEST" +%Y%m%d)
	file=$STAGE_OUT/$name-$version
	cp "$GUEST" "$file.tar.zst"
	cat >"$file.imgmanifest" <<-END
		{
		  "v": 2,
		  "uuid": "$(uuid_of "$(sha256sum <"$GUEST")")",
		  "name": "$name",
		  "version": "$version",
		  "published_at": "$(date -u -r "$GUEST" +%Y-%m-%dT%H:%M:%SZ)",
		  "type": "lx-dataset",
		  "os": "linux",
		  "description": "A small Debian 13: systemd, dbus, apt, and no more than login, ps, ip and ping want.",
		  "requirements": { "brand": "lx" },
		  "files": [
		    { "sha1": "$(sha1sum <"$GUEST" | cut -d' ' -f1)", "size": $(stat -c %s "$GUEST"), "compression": "zstd" }
		  ]
		}
	END
}

do_images() {
	mkdir -p "$STAGE_OUT" "$STAGE_WORK/files"
	debian_image debian-13
	cp "$LIVE/lib/oci-build" "$STAGE_WORK/"
	cp -r "$LIVE/oci-httpd/." "$STAGE_WORK/files/"
	in_root -b "$STAGE_WORK:/out" -- bash /out/oci-build httpd
	mv "$STAGE_WORK"/*.oci.tar "$STAGE_OUT/"
}

need_images() {
	need_guest
	local out
	out=$BUILD/images-$( (basename "$GUEST" "$BUILDROOT"; hash_files "$LIVE/oci-httpd"
		cat "$LIVE/lib/images.sh" "$LIVE/lib/oci-build") | hash_of)
	stage images "$out" do_images
	forget_others "$BUILD/images-" "$out"
	ln -sfn "$(basename "$out")" "$BUILD/images"
}
