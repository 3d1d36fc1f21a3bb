# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""The rig: nodes in QEMU, for tests and for people trying things. test/rig is its command."""
