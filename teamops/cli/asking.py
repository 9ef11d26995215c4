"""``teamops append`` inside a boundary, where the file can't be written: asked for in the spool."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.draft import Words, given_text
from teamops.cli.place import near
from teamops.guard.asking import Asked, answer_to, ask, option, withdraw
from teamops.model.errors import TeamopsError
from teamops.model.role import Role

if TYPE_CHECKING:
    from teamops.config.settings import Settings

WAIT_S = 20.0
"""So long somebody may take to begin with it."""
WRITING_S = 75.0
"""… and so long to end."""
_POLL_S = 0.05


def has_to_ask(settings: Settings, *, force: bool) -> bool:
    """Return whether a process inside a boundary can't write the block itself.

    The file was replaced (the boundary knows the one of the start), or there is none, or a record is to be made.
    """
    return force or not _can_write(settings.handoff)


def _can_write(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        os.close(os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def ask_for(settings: Settings, words: Words, role: Role | None, *, force: bool, as_json: bool) -> int:
    """Have the block written by who can; print what is answered and return its exit code.

    Raises ``TeamopsError`` where nobody does: then nothing was written, and nothing will be.
    """
    if role is None:
        raise TeamopsError("whose block is it?", "TEAMOPS_ROLE is not set, and only an agent can ask for its own")
    options = [
        option(name, str(value))
        for name in ("status", "turn", "tier", "task", "verdict", "gates")
        if (value := getattr(words, name)) is not None
    ]
    options += [option("section", section) for section in words.sections]
    options += (["--force"] if force else []) + (["--json"] if as_json else [])
    folder, name = settings.spool / role, f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}"
    what = near(settings.handoff)
    try:
        ask(folder, Asked(text=given_text(words), options=tuple(options)), name)
        click.echo(f"{what} can't be written from inside the boundary: asked for in the spool", err=True)
        end = time.monotonic() + WAIT_S
        taken = False
        while (told := answer_to(folder, name)) is None:
            if time.monotonic() > end:
                if taken or not withdraw(folder, name):
                    if taken:
                        raise TeamopsError(
                            f"the block was taken to be written to {what}, and no answer came",
                            "look whether it stands there before you append it again",
                        )
                    taken, end = True, time.monotonic() + WRITING_S
                    continue
                raise TeamopsError(
                    f"nothing was written: {what} can't be written from inside the boundary, and nobody was there who "
                    f"does it within {WAIT_S:.0f} s",
                    "have the person start teamops (teamops watch), then append it again",
                )
            time.sleep(_POLL_S)
    except OSError as error:
        raise TeamopsError(f"the spool {folder} can't be used: {error.strerror}", "mend its rights") from error
    click.echo(told.err, err=True, nl=False)
    click.echo(told.out, nl=False)
    return told.code
