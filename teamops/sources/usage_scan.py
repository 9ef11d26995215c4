"""A scan of all clients' logs into the usage ledger, as its parent sees it: begun, followed and ended."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from teamops.model.errors import TeamopsError
from teamops.usage.own_process import SCAN, own_environment


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is."""

    done: int
    """Bytes read."""
    of: int
    """Bytes to read."""
    waits: bool = False
    """Another scan runs, and is waited for."""


class UsageScan:
    """One scan in a process of its own, from the moment this is made.

    ``progress`` blocks: an event loop calls it in a thread. Leaving the ``with`` ends the process, whatever it does;
    nothing is lost or counted twice by that.
    """

    def __init__(self, ledger: Path, worker: Sequence[str] = SCAN) -> None:
        self.troubles: tuple[str, ...] = ()
        """What could not be read."""
        self._process = subprocess.Popen(
            [*worker, str(ledger), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=own_environment(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def progress(self) -> Iterator[Progress]:
        """Yield how far it is, to its end. Raises ``TeamopsError`` where it fails."""
        done = False
        for line in self._process.stdout or ():
            words = json.loads(line)
            if "error" in words:
                raise TeamopsError(words["error"], words["hint"])
            if "done" in words:
                self.troubles = tuple(words["troubles"])
                done = True
            elif "waits" in words:
                yield Progress(0, 0, waits=True)
            else:
                yield Progress(words["bytes"], words["of"])
        if not done:
            _, said = self._process.communicate()
            last = said.decode(errors="replace").strip().rpartition("\n")[2]
            raise TeamopsError(
                f"the clients' logs could not be read to their end: {last or 'the process was ended'}",
                "say it again: it goes on where it stopped",
            )
