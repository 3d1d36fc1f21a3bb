# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# Boot media around a platform: boot loader files, hybrid ISO, USB image, netboot directory.

USB_MIB=${NEREID_USB_MIB:-1024}

kernel_cmdline() { grep -v '^#' "$LIVE/boot/cmdline" | paste -sd' '; }

do_bootfiles() {
	local work=$STAGE_WORK
	cp -r "$LIVE/boot/." "$work/"
	sed -i "s|@CMDLINE@|$(kernel_cmdline)|" "$work"/grub*.cfg
	mkdir -p "$STAGE_OUT"
	in_root -b "$work:/in" -b "$STAGE_OUT:/out" -- bash -ec '
		core=$(grep -v "^#" /in/core-modules)
		grub-mkimage -O i386-pc -p "(,gpt2)/nereid" -o /out/core.img $core
		grub-mkimage -O i386-pc-eltorito -p /boot/grub -o /out/eltorito.img $core
		cp /usr/lib/grub/i386-pc/boot.img /usr/lib/grub/i386-pc/boot_hybrid.img /out/
		cp /usr/lib/shim/shimx64.efi.signed /out/shimx64.efi
		cp /usr/lib/shim/mmx64.efi.signed /out/mmx64.efi
		cp /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed /out/grubx64.efi
		cp /usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed /out/gcdx64.efi
		cp /usr/lib/ipxe/undionly.kpxe /usr/lib/ipxe/snponly.efi /out/
	'
	cp "$work"/*.cfg "$STAGE_OUT/"
	kernel_cmdline >"$STAGE_OUT/cmdline"
	cp "$work/boot.ipxe" "$STAGE_OUT/"
}

need_bootfiles() {
	need_buildroot
	BOOTFILES=$CACHE/bootfiles-$( (basename "$BUILDROOT"; hash_files "$LIVE/boot"; cat "$LIVE/lib/media.sh") | hash_of)
	stage boot-files "$BOOTFILES" do_bootfiles
}

# add_bootfiles DIR: what a node needs to make a disk of its own bootable
add_bootfiles() {
	mkdir -p "$1"
	cp "$BOOTFILES"/{boot.img,core.img,shimx64.efi,mmx64.efi,grubx64.efi,grub.cfg,efi-grub.cfg} "$1/"
}

media_key() { (basename "$PLATFORM"; basename "$BOOTFILES"; echo "$STAMP $USB_MIB"; cat "$LIVE"/lib/media* "$LIVE/lib/grub_embed.py") | hash_of; }

# publish FILE ENDING: build/nereid-STAMP.ENDING and build/nereid.ENDING point to what was made last
publish() {
	ln -sfn "$(realpath --relative-to "$BUILD" "$1")" "$BUILD/nereid-$STAMP$2"
	ln -sfn "$(realpath --relative-to "$BUILD" "$1")" "$BUILD/nereid$2"
	find "$BUILD" -maxdepth 1 -name "nereid*$2" -xtype l -delete
}

do_iso() {
	local work=$STAGE_WORK
	mkdir -p "$work"/{iso/boot/grub,iso/.disk,iso/platform,efi}
	cp -rL "$PLATFORM/$STAMP" "$work/iso/platform/"
	cp "$BOOTFILES/grub-iso.cfg" "$work/iso/boot/grub/grub.cfg"
	cp "$BOOTFILES/eltorito.img" "$work/iso/boot/grub/"
	echo "Nereid $STAMP" >"$work/iso/.disk/info"
	cp "$BASE/packages.spdx.json" "$TOP/LICENSE" "$work/iso/"
	cp "$LIVE/lib/media-iso" "$work/"
	in_root -b "$work:/out" -b "$BOOTFILES:/in" -- bash /out/media-iso
	mv "$work/nereid.iso" "$STAGE_OUT"
}

need_iso() {
	need_platform
	local out
	out=$BUILD/media/$(media_key).iso
	stage iso "$out" do_iso
	forget_media .iso "$out"
	publish "$out" .iso
}

do_usb() {
	local work=$STAGE_WORK
	mkdir -p "$work/esp"/{EFI/BOOT,EFI/debian,nereid/platform}
	cp -rL "$PLATFORM/$STAMP" "$work/esp/nereid/platform/"
	cp "$BOOTFILES/grub.cfg" "$work/esp/nereid/"
	cp "$BOOTFILES/efi-grub.cfg" "$work/esp/EFI/debian/grub.cfg"
	cp "$BOOTFILES/shimx64.efi" "$work/esp/EFI/BOOT/BOOTX64.EFI"
	cp "$BOOTFILES"/{grubx64,mmx64}.efi "$work/esp/EFI/BOOT/"
	cp "$LIVE/lib/media-usb" "$LIVE/lib/grub_embed.py" "$work/"
	in_root -b "$work:/out" -b "$BOOTFILES:/in" -- python3 /out/media-usb "$STAMP" "$USB_MIB"
	mv "$work/usb.img" "$STAGE_OUT"
}

need_usb() {
	need_platform
	local out
	out=$BUILD/media/$(media_key)-usb.img
	stage usb "$out" do_usb
	forget_media -usb.img "$out"
	publish "$out" -usb.img
}

# The newest two of a kind stay: a test may still run from the one before.
forget_media() {
	local p
	for p in $(ls -t "$BUILD"/media/*"$1" 2>/dev/null | tail -n +3); do
		rm -f "$p"
	done
}

do_netboot() {
	mkdir -p "$STAGE_OUT/$STAMP"
	cp -L "$PLATFORM/$STAMP"/* "$STAGE_OUT/$STAMP/"
	cp "$BOOTFILES"/{undionly.kpxe,snponly.efi} "$STAGE_OUT/"
	sed -e "s|@CMDLINE@|$(kernel_cmdline)|" -e "s|@STAMP@|$STAMP|g" "$BOOTFILES/boot.ipxe" >"$STAGE_OUT/boot.ipxe"
}

need_netboot() {
	need_platform
	local out
	out=$BUILD/media/netboot-$(media_key)
	stage netboot "$out" do_netboot
	forget_others "$BUILD/media/netboot-" "$out"
	ln -sfn "$(realpath --relative-to "$BUILD" "$out")" "$BUILD/netboot"
}

# A platform as one file, which piadm installs from.
do_tarball() { tar -C "$PLATFORM" --owner=0 --group=0 --numeric-owner -cf "$STAGE_OUT" "$STAMP"; }

need_tarball() {
	need_platform
	local out
	out=$BUILD/media/platform-$STAMP.tar
	stage tarball "$out" do_tarball
	ln -sfn "media/platform-$STAMP.tar" "$BUILD/platform-$STAMP.tar"
	find "$BUILD" -maxdepth 1 -name 'platform-*.tar' -xtype l -delete
}
