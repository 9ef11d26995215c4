"""Waits for the end of a demo's owner and clears away what it left: ``python -m teamops.demo.reaper FOLDER``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from teamops.demo.folder import wait_for_owner


def start(folder: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start one in a session of its own: what ends the owner's terminal must not end it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "teamops.demo.reaper", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=dict(env),
        start_new_session=True,
    )


def main() -> None:
    """Wait, clear, end."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    wait_for_owner(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
