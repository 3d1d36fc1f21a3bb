# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""Whether a cap holds, by what `switch_probe drain` prints."""


def held(measure, bits):
    """
    Returns None when a cap holds within one percent, else what came instead. measure() gives one answer of `drain`: all of
    the frames, and the median of their sixteenths. The median is the cap, and all of them are not above it. Processors that
    do something else make a sender slower, so it has three goes.
    """
    seen = []
    while len(seen) < 3:
        whole, median = (int(rate) for rate in measure().split())
        if abs(median / bits - 1) < 0.01 and whole < 1.01 * bits:
            return None
        seen.append((whole, median))
    return f"a cap of {bits:.0f} gave {seen} (of all that came, median of its sixteenths)"
