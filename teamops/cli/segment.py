"""``teamops status --format tmux`` (and ``line``): one short segment, at once.

A status line asks for it every few seconds, so it goes without the command line's library, the configuration and the
ledger: it reads one small file that the supervisor keeps.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from teamops.cli.place import root_of
from teamops.model.clock import HUNG_S
from teamops.model.errors import EXIT_FINDING, EXIT_OK, UsageError
from teamops.report.segment import FILE, NOBODY, WIDTH, fitted, for_tmux, no_news, not_written, segment
from teamops.supervisor.lease import Lease, folders_of

FORMATS: dict[str, Callable[[str], str]] = {"tmux": for_tmux, "line": str}


def main(words: Sequence[str]) -> int:
    """Print the segment that ``words`` ask for. Raises ``UsageError``."""
    options = {"--format": "", "--width": str(WIDTH), "-C": "", "--state-dir": os.environ.get("TEAMOPS_STATE_DIR", "")}
    rest = list(words[1:])
    while rest:
        name, joined, value = rest.pop(0).partition("=")
        name = "-C" if name == "--project" else name
        if name not in options:
            raise UsageError(f"status --format knows no {name}", f"it knows {', '.join(options)}")
        if not joined:
            if not rest:
                raise UsageError(f"{name} needs a value", "teamops status --format tmux --width 40")
            value = rest.pop(0)
        options[name] = value
    if options["--format"] not in FORMATS:
        raise UsageError(f'there is no format "{options["--format"]}"', f"formats: {', '.join(FORMATS)}")
    if not options["--width"].isdigit() or not 1 <= int(options["--width"]) <= 500:
        raise UsageError("--width is a number between 1 and 500", f"without it: {WIDTH}")
    root = root_of(Path(options["-C"]) if options["-C"] else None)
    state_dir = Path(options["--state-dir"]) if options["--state-dir"] else None
    return show(root, state_dir, options["--format"], int(options["--width"]))


def show(root: Path, state_dir: Path | None, form: str, width: int = WIDTH) -> int:
    """Print the segment of the project in ``root``; return 1 where nobody supervises it."""
    text = _text(root, state_dir, width)
    sys.stdout.write(FORMATS[form](text or fitted(NOBODY, width)) + "\n")
    return EXIT_OK if text else EXIT_FINDING


def _text(root: Path, state_dir: Path | None, width: int) -> str:
    for folder in folders_of(root, state_dir):
        lease = Lease(folder)
        holder = lease.holder()
        if holder is None:
            continue
        silent_s = holder.round_age(time.monotonic())
        if silent_s is not None and silent_s > HUNG_S:
            return no_news(silent_s, width)
        unrecorded = lease.unrecorded(holder)
        if unrecorded is not None:
            return not_written(unrecorded, time.time(), width)
        try:
            return segment(json.loads((folder / FILE).read_bytes()), time.time(), width)
        except (OSError, ValueError, KeyError, TypeError):
            return fitted("○ starting", width)  # it has not written yet
    return ""
