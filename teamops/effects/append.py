"""Appends: one block written to the handoff file, and where it stands then."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from teamops.handoff.appending import append
from teamops.handoff.scan import normalized
from teamops.handoff.write import append_text
from teamops.model.actions import Append, Outcome

Check = Callable[[bytes], None]
"""Called with the whole file under its lock, just before the block is written; raises ``TeamopsError`` to refuse it."""


async def append_block(path: Path, action: Append, check: Check | None = None) -> Outcome:
    """Append the block and say at which line it stands. Raises what ``check`` raises: then nothing was written."""
    line = 0

    def look(data: bytes) -> None:
        nonlocal line
        if check is not None:
            check(data)
        line = line_after(data, action.text)

    try:
        await _beside(partial(append, path, action.text, look))
    except OSError as error:
        return Outcome(
            ok=False,
            message=f"{path.name} can't be written: {error.strerror or error}",
            hint="mend its rights or free disk space, then try again",
        )
    return Outcome(ok=True, message=f"appended to {path.name} at line {line}", evidence=f"{path.name}:{line}")


async def _beside(write: Callable[[], object]) -> None:
    """Run ``write`` in a thread: another writer may hold the lock, and a long file takes its time to be read again.

    The thread ends with the process: nobody who interrupts it has to wait for a lock that is never let go.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            write()
        except BaseException as raised:  # noqa: BLE001 - goes to who waits
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=run, name="append", daemon=True).start()
    await done


def line_after(data: bytes, text: str) -> int:
    """Return the 1-based line on which the block ``text`` begins when it is appended to ``data``."""
    written = append_text(data[-4:], text)
    lead = len(written) - len(written.lstrip(b"\n"))
    return normalized(data + written[:lead]).count(b"\n") + 1
