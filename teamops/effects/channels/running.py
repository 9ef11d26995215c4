"""A program that a channel runs: beside the loop, and over when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

from teamops.effects.program import Ended, run_program


class _CutOff(Exception):  # noqa: N818 - a person leaves; nothing has failed
    """Nobody waits for the program any more."""


async def run_beside(words: Sequence[str], cwd: Path, env: Mapping[str, str], timeout_s: float, given: bytes) -> Ended:
    """Do as ``run_program`` in a thread. A caller that is cancelled leaves nothing running: the end takes moments."""
    over = Event()

    def look(_seconds: float, _line: str) -> None:
        if over.is_set():
            raise _CutOff

    try:
        return await asyncio.to_thread(run_program, words, cwd, env, timeout_s, look, given=given)
    except asyncio.CancelledError:
        over.set()
        raise
