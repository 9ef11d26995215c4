"""Keeps what a status line shows in a small file beside the ledger: whoever reads it loads neither."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.model.snapshot import Snapshot

if TYPE_CHECKING:
    from teamops.report.segment import Facts

SOONEST_S = 1.0
LATEST_S = 30.0


class SegmentFile:
    """The file of one project. Only the supervisor that acts writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: Facts | None = None
        self._at = 0.0

    def keep(self, snapshot: Snapshot) -> None:
        """Write what is new in ``snapshot``, once a second at most; never raises.

        A disk that takes nothing is the ledger's to tell; who reads the file sees that it is old.
        """
        now, wall = snapshot.stamp.now, snapshot.stamp.wall
        if not (snapshot.ready and snapshot.supervisor.acting):
            return
        from teamops.report.segment import FILE, facts_of  # not before the first frame

        facts, path = facts_of(snapshot), self._folder / FILE
        age = now - self._at
        if self._told is not None and (age < SOONEST_S or (facts == self._told and age < LATEST_S)):
            return
        self._told, self._at = facts, now
        fresh = path.with_suffix(f".{os.getpid()}")
        try:
            fresh.touch(0o600)
            fresh.write_text(json.dumps({**facts, "at": wall}), encoding="utf-8")
            fresh.replace(path)
        except OSError:
            self._told = None


def also_kept(folder: Path, publish: Callable[[Snapshot], None]) -> Callable[[Snapshot], None]:
    """Return a ``publish`` that keeps the file in ``folder`` as well."""
    file = SegmentFile(folder)

    def publish_and_keep(snapshot: Snapshot) -> None:
        publish(snapshot)
        file.keep(snapshot)

    return publish_and_keep
