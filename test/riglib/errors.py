# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""What can go wrong, each with the exit code the command ends with."""


class RigError(Exception):
    code = 1


class Usage(RigError):
    code = 2


class WrongState(RigError):
    """No such node, not running, running already."""
    code = 3


class TimedOut(RigError):
    code = 124


class NodeGone(RigError):
    """The node went down, or its QEMU ended, while something was asked of it."""
    code = 125
