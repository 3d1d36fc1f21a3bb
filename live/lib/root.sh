# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
# shellcheck shell=bash
#
# Debian's part: which versions, the build root, the runtime root, kernel and headers.
# What is resolved once stays in use (so a build never changes under one's feet) until `make refresh`.

SUITE=trixie
MIRROR=${NEREID_MIRROR:-http://deb.debian.org/debian}
SECURITY=${NEREID_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

sources_list() {
	local comp="main contrib"
	[ -n "${FIRMWARE:-}" ] && comp="$comp non-free-firmware"
	printf 'deb [signed-by=%s] %s %s %s\n' "$KEYRING" "$MIRROR" "$SUITE" "$comp" \
		"$KEYRING" "$MIRROR" "$SUITE-updates" "$comp" "$KEYRING" "$SECURITY" "$SUITE-security" "$comp"
}

packages() { grep -hv -e '^#' -e '^$' "$LIVE/packages/$1"; }

# apt_dir DIR: an apt configuration of its own that knows nothing of the host's
apt_dir() {
	mkdir -p "$1"/{lists/partial,cache/archives/partial,parts,prefs}
	: >"$1/status"
	sources_list >"$1/sources.list"
	cat >"$1/apt.conf" <<-EOF
		Dir::State "$1"; Dir::State::status "$1/status"; Dir::State::lists "$1/lists";
		Dir::Cache "$1/cache"; Dir::Etc::sourcelist "$1/sources.list"; Dir::Etc::sourceparts "$1/parts";
		Dir::Etc::main "/dev/null"; Dir::Etc::preferencesparts "$1/prefs"; Dir::Etc::preferences "/dev/null";
		APT::Architecture "amd64"; APT::Architectures "amd64"; APT::Install-Recommends "false";
		Acquire::Languages "none"; Acquire::Retries "3"; APT::Sandbox::User "root";
	EOF
}

# simulate LIST PACKAGE...: what apt would install into nothing, as sorted name=version lines
simulate() {
	APT_CONFIG=$1/apt.conf apt-get -s install '?essential' "${@:2}" |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p' | LC_ALL=C sort
}

do_resolve() {
	local apt=$STAGE_OUT/apt
	apt_dir "$apt"
	APT_CONFIG=$apt/apt.conf apt-get update
	simulate "$apt" $(packages kernel) |
		grep -E '^(linux-image-[0-9].*-amd64|linux-headers-[0-9].*|linux-kbuild-.*|zfs-dkms)=' >"$STAGE_OUT/kernel"
	local kernel headers
	kernel=$(sed -n 's/^linux-image-\([^=]*\)=.*/\1/p' "$STAGE_OUT/kernel")
	headers=$(grep '^linux-headers-.*-amd64=' "$STAGE_OUT/kernel")
	echo "$kernel" >"$STAGE_OUT/kernel-release"
	simulate "$apt" $(packages build) "$headers" >"$STAGE_OUT/build"
	simulate "$apt" $(packages runtime) >"$STAGE_OUT/runtime"
	if [ -n "${FIRMWARE:-}" ]; then
		simulate "$apt" $(packages firmware) | grep -F -f <(packages firmware | sed 's/$/=/') >"$STAGE_OUT/firmware"
	fi
	[ -s "$STAGE_OUT/build" ] && [ -s "$STAGE_OUT/runtime" ] && [ -n "$kernel" ]
	# User space and modules of ZFS are one version, or pools misbehave in ways nobody can explain.
	local user
	user=$(sed -n 's/^zfsutils-linux=//p' "$STAGE_OUT/runtime")
	grep -qx "zfs-dkms=$user" "$STAGE_OUT/kernel" ||
		{ echo "zfsutils-linux $user and zfs-dkms differ in the archive"; false; }
}

# Names the versions every later key is made of.
need_resolved() {
	RESOLVED=$CACHE/resolved-$( (cat "$LIVE"/packages/*; sources_list) | hash_of)
	stage resolve "$RESOLVED" do_resolve
	KREL=$(cat "$RESOLVED/kernel-release")
	BUILDROOT=$CACHE/buildroot-$( (cat "$RESOLVED/build"; echo recipe 2) | hash_of)
	TUPLE=$CACHE/kernel-$( (cat "$RESOLVED/kernel"; echo recipe 1) | hash_of)
	RUNTIME=$CACHE/runtime-$( (cat "$RESOLVED/runtime"; echo recipe 2) | hash_of)
}

# bootstrap WHICH OUT [OPTION...]: a Debian root of exactly the resolved versions
bootstrap() {
	local list
	list=$(paste -sd, "$RESOLVED/$1")
	sources_list >"$BUILD/sources.list"
	# The host's own apt settings (proxies, mirrors behind a login) must reach mmdebstrap: it reads them itself.
	mmdebstrap --mode=root --variant=custom --format=directory --include="$list" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"${@:3}" "$SUITE" "$2" - <"$BUILD/sources.list"
}

do_buildroot() {
	bootstrap build "$STAGE_OUT"
	mkdir -p "$STAGE_OUT"/{src,out,in,cache}
}

do_runtime() { bootstrap runtime "$STAGE_OUT"; }

# fetch LIST: the packages of that list of versions, as files in $STAGE_OUT
fetch() {
	local apt=$STAGE_WORK
	apt_dir "$apt"
	mkdir -p "$STAGE_OUT"
	APT_CONFIG=$apt/apt.conf apt-get update
	(cd "$STAGE_OUT" && APT_CONFIG=$apt/apt.conf apt-get download $(cat "$RESOLVED/$1"))
	cp "$RESOLVED/$1" "$STAGE_OUT/versions"
}

need_buildroot() { need_resolved; stage buildroot "$BUILDROOT" do_buildroot; }
# The archive keeps only the newest kernel: image, headers and ZFS source are fetched and kept together.
need_tuple() { need_resolved; stage kernel "$TUPLE" fetch kernel; }
# build/runtime: the rig runs its QEMU where the host's is too old.
need_runtime() {
	need_resolved
	stage runtime "$RUNTIME" do_runtime
	ln -sfn "$RUNTIME" "$BUILD/runtime"
}

# in_root [-b SRC:DST]... -- COMMAND...: run in the build root; it is read-only but for /tmp and what is bound.
in_root() {
	local binds=()
	while [ "$1" != -- ]; do
		[ "$1" = -b ] || die "in_root: $1"
		binds+=("$2")
		shift 2
	done
	shift
	unshare --mount --propagation private bash "$LIVE/lib/enter" "$BUILDROOT" "${#binds[@]}" "${binds[@]}" "$@"
}
