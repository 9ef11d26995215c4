"""Runs the measurements and prints their table; ends with 1 when a promise is broken, 2 when one can't be measured."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.figures import HEAD
from benchmarks.measures import MEASURES


def main(names: Sequence[str]) -> int:
    """Measure what is named, or everything."""
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        print(f"no such measurement: {', '.join(unknown)}; there are: {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    print(HEAD, flush=True)
    broken = failed = 0
    for name in names or MEASURES:
        try:
            for figure in MEASURES[name]():
                print(figure.row(), flush=True)
                broken += not figure.kept
        except (TimeoutError, subprocess.SubprocessError, OSError, StopIteration) as error:
            print(f"\n{name} could not be measured: {error}\n", file=sys.stderr, flush=True)
            failed += 1
    tmux = subprocess.run(["tmux", "-V"], capture_output=True, text=True, check=False).stdout.strip()
    load = os.getloadavg()[0]
    print(f"\n{os.cpu_count()} cores, Python {platform.python_version()}, {tmux}; load {load:.1f}")
    return 2 if failed else 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
