# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# A small Debian 13 on a disk of its own, for kvm machines: Debian's cloud kernel, systemd-networkd, a login on the serial
# port. It boots by BIOS and UEFI.

DISK_PACKAGES=linux-image-cloud-amd64,systemd-sysv,udev,dbus,procps,iproute2,iputils-ping,login,kmod,initramfs-tools,busybox,zstd,qemu-guest-agent
ESP_MIB=96

# What is small stays small: no other drivers than those of what QEMU shows.
disk_initramfs() {
	mkdir -p "$1/etc/initramfs-tools/conf.d"
	printf 'MODULES=list\nCOMPRESS=zstd\n' >"$1/etc/initramfs-tools/conf.d/guest"
	printf '%s\n' virtio_pci virtio_blk virtio_scsi sd_mod sr_mod nvme ahci ata_piix ext4 >"$1/etc/initramfs-tools/modules"
}

disk_settings() {
	local root=$1
	echo guest >"$root/etc/hostname"
	printf 'LABEL=root / ext4 defaults 0 1\n' >"$root/etc/fstab"
	printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n[DHCPv4]\nClientIdentifier=mac\nUseHostname=no\n' >"$root/etc/systemd/network/50-guest.network"
	ln -sfn /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
	ln -sfn /lib/systemd/system/serial-getty@.service "$root/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service"
	# Where all is emulated twice its devices take their time; and it has no guests of its own.
	mkdir -p "$root/etc/systemd/system.conf.d"
	printf '[Manager]\nDefaultDeviceTimeoutSec=infinity\nDefaultTimeoutStartSec=infinity\n' >"$root/etc/systemd/system.conf.d/slow.conf"
	printf 'blacklist kvm_amd\nblacklist kvm_intel\nblacklist pcspkr\nblacklist psmouse\n' >"$root/etc/modprobe.d/guest.conf"
	# Who sees its console is who may use it: root has no password there, and there is no other way in.
	sed -i 's|^root:[^:]*:|root::|' "$root/etc/shadow"
	rm -f "$root"/etc/resolv.conf "$root"/var/cache/apt/*.bin "$root"/var/log/*.log "$root"/etc/machine-id
	: >"$root/etc/machine-id"
}

disk_grub() {
	cat <<-END
		if [ "\$grub_platform" = pc ]; then
		  serial --unit=0 --speed=115200
		  terminal_output serial console
		fi
		search --no-floppy --file --set=root /guest/vmlinuz
		linux (\$root)/guest/vmlinuz root=LABEL=root ro console=tty0 console=ttyS0,115200 quiet
		initrd (\$root)/guest/initrd.img
		boot
	END
}

# do_guest_disk PACKAGES MIB
do_guest_disk() {
	local root=$STAGE_WORK/root
	sources_list >"$BUILD/sources.list"
	mmdebstrap --mode=root --variant=minbase --format=directory --include="$1" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"$SUITE" "$root" - <"$BUILD/sources.list"
	disk_initramfs "$root"
	chroot "$root" update-initramfs -u -k all
	disk_settings "$root"
	mkdir -p "$STAGE_WORK"/esp/{EFI/BOOT,EFI/debian,nereid,guest}
	cp -L "$root"/boot/vmlinuz-* "$STAGE_WORK/esp/guest/vmlinuz"
	mv "$root"/boot/initrd.img-* "$STAGE_WORK/esp/guest/initrd.img"
	disk_grub | tee "$STAGE_WORK/esp/EFI/debian/grub.cfg" >"$STAGE_WORK/esp/nereid/grub.cfg"
	cp "$BOOTFILES/shimx64.efi" "$STAGE_WORK/esp/EFI/BOOT/BOOTX64.EFI"
	cp "$BOOTFILES"/{grubx64,mmx64}.efi "$STAGE_WORK/esp/EFI/BOOT/"
	mke2fs -q -t ext4 -L root -d "$root" "$STAGE_WORK/root.ext4" "$2M"
	cp "$LIVE/lib/guest-disk" "$LIVE/lib/grub_embed.py" "$STAGE_WORK/"
	in_root -b "$STAGE_WORK:/out" -b "$BOOTFILES:/in" -- python3 /out/guest-disk "$ESP_MIB"
	qemu-img convert -c -O qcow2 -o compression_type=zstd "$STAGE_WORK/disk.img" "$STAGE_OUT"
}

# guest_disk_of NAME FILE MIB PACKAGES
guest_disk_of() {
	need_bootfiles
	GUEST_DISK=$CACHE/$1-$( (basename "$RESOLVED" "$BOOTFILES"; echo "$3 $4"
		cat "$LIVE"/lib/guest-disk* "$LIVE/lib/grub_embed.py") | hash_of)
	stage "$1" "$GUEST_DISK" do_guest_disk "$4" "$3"
	ln -sfn "$GUEST_DISK" "$BUILD/$2"
}

need_guest_disk() { guest_disk_of guest-disk debian-13-kvm.qcow2 640 "$DISK_PACKAGES"; }
