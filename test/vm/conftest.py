# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
Fixtures. Booting is what costs, so: `resumed` gives each test a node of its own from a saved machine (a second), `shared`
is one for all tests that only look, and what really boots is one machine for a whole module.
"""

import itertools
import os
import re
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from machine import Machine  # noqa: E402
from riglib import cli  # noqa: E402
from riglib import machine as machine_module  # noqa: E402
from riglib.node import BUILD, all_nodes  # noqa: E402

counter = itertools.count(1)
alive = []


def pytest_collection_modifyitems(items):
    """Tests of what a person does by hand come last: they take longest. Within a module the order is the story's."""
    items.sort(key=lambda item: (item.get_closest_marker("late") is not None))


def pytest_configure(config):
    config.addinivalue_line("markers", "late: runs after the others")
    config.addinivalue_line("markers", "alone: of a module that measures: test/modules runs nothing beside it")


@pytest.fixture(scope="session", autouse=True)
def platform():
    if not (BUILD / "platform/current/kernel").exists():
        pytest.exit("build/platform/current: no platform to test; `make image` makes one", 2)
    stamp = (BUILD / "platform/current").resolve().name
    cli.DEFAULTS["platform"] = stamp  # a build meanwhile must not mix versions into one run
    machine_module.platform_dir(cli.DEFAULTS)
    for node in all_nodes():  # of runs that were killed
        left = re.match(r"t(\d+)-\d+-", node.name)
        if left and not os.path.exists(f"/proc/{left[1]}"):
            node.remove()
    return stamp


def new_machine(hint):
    name = f"t{os.getpid()}-{next(counter)}-{re.sub('[^a-z0-9]+', '-', hint.lower())}"
    machine = Machine(name[:32].rstrip("-"))
    alive.append(machine)
    return machine


def done(machine):
    machine.node.remove()
    alive.remove(machine)


@pytest.fixture
def machine(request):
    """A machine for one test, which starts it as it likes."""
    m = new_machine(request.node.name.removeprefix("test_"))
    yield m
    done(m)


@pytest.fixture(scope="module")
def module_machine(request):
    """A machine for all tests of a module, which are parts of one story."""
    m = new_machine(request.module.__name__.removeprefix("test_"))
    yield m
    done(m)


@pytest.fixture
def resumed(machine):
    """An installed node in state ready, this test's own."""
    machine.up(cold=False, answers="standard")
    return machine


@pytest.fixture
def blank(machine):
    """A node that waits at its setup dialogue, this test's own."""
    machine.up(cold=False, wait="setup*")
    return machine


@pytest.fixture(scope="session")
def shared():
    """An installed node in state ready, for tests that change nothing."""
    m = new_machine("shared")
    m.up(cold=False, answers="standard")
    yield m
    done(m)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of the serial logs of the machines that are up."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for m in alive:
            tail = m.node.tail()
            if tail:
                report.sections.append((f"serial console of {m.name}", tail))
