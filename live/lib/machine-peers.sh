# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# What `make bench` runs beside vmadm, as archives for a node, made as guests' roots are: Debian 13's Incus and LXC with ZFS's
# programs (machines-peers), and its libvirt with the same QEMU as the node's (kvm).

INCUS_PEER=incus-base,incus-client,lxc,zfsutils-linux,systemd,busybox-static,util-linux,mount,iproute2
LIBVIRT_PEER=libvirt-daemon,libvirt-daemon-driver-qemu,libvirt-clients,qemu-system-x86,seabios,iproute2

need_incus() { guest_of incus incus.tar.zst "$INCUS_PEER"; }
need_libvirt() { guest_of libvirt libvirt.tar.zst "$LIBVIRT_PEER"; }
