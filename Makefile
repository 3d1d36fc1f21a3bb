# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
#
# Verbs only; what they do is in live/build (the node's image), meson.build (the C programs) and test/.

.PHONY: help run test check image bench shell lint asan fuzz refresh clean clean-cache host

help:
	@echo 'make run          build, boot a node in QEMU, take the tour, give you its console'
	@echo 'make test         everything: unit, command and system tests'
	@echo 'make check        unit and command tests only'
	@echo 'make image        build/nereid-VERSION.iso, -usb.img, build/netboot, build/images (FIRMWARE=1: with non-free firmware)'
	@echo 'make bench        measure what doc/figures.md claims'
	@echo 'make shell        a shell in the build root (CMD=... runs that instead)'
	@echo 'make lint         compilers, man pages, shell scripts, layers, banned calls'
	@echo 'make fuzz         every fuzz target for SECONDS=30'
	@echo 'make refresh      take newer Debian packages at the next build'
	@echo 'make clean        remove build/;   make clean-cache: also what is cached for Debian'"'"'s part'

host:
	@live/host

run: host
	@test/tour

test: host
	@test/all

check: host
	@test/check

image: host
	@FIRMWARE=$(FIRMWARE) NEREID_SQUASH_LEVEL=$${NEREID_SQUASH_LEVEL:-15} live/build image tarball

bench: host
	@test/bench/run

shell: host
	@live/build shell -- $(if $(CMD),sh -c '$(CMD)')

lint: host
	@tools/lint

asan: host
	@test/check --asan

fuzz: host
	@test/fuzz/run $(or $(SECONDS),30)

refresh:
	@live/build refresh

clean:
	@test/rig list --names 2>/dev/null | while read -r n; do test/rig remove --name "$$n"; done; rm -rf build

clean-cache: clean
	@live/build clean-cache
