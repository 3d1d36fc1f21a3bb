# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
def usable(config):
    return False
