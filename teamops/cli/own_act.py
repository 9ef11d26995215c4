"""What a command of the person writes where the audit looks: on record before it is written, so that it is no agent's.

Only the very bytes that teamops writes itself are recorded, and nothing at an agent's hands: its act stays its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.model.errors import TeamopsError

if TYPE_CHECKING:
    from teamops.config.settings import Settings

OwnFile = tuple[Path, bytes, bytes | None]
"""Where, what it will hold, and what it is made of; ``None`` = all of it is teamops'."""


def record_own(settings: Settings, state_dir: Path | None, what: str, files: Iterable[OwnFile]) -> None:
    """Record that ``files`` are about to be written by the command ``what``; raises nothing, and says what failed."""
    from contextlib import closing

    from teamops.ledger.store import open_ledger
    from teamops.sources.kept_bytes import digest_of
    from teamops.supervisor.lease import state_dir_of
    from teamops.supervisor.who import at_an_agent_s_hands

    ledger = state_dir_of(settings, state_dir) / "ledger.sqlite3"
    if not ledger.exists():
        return  # nobody has ever watched here
    try:
        if at_an_agent_s_hands(settings):
            return
        with closing(open_ledger(ledger)) as opened:
            for path, data, made_of in files:
                full = str(Path(os.path.realpath(path.parent)) / path.name)
                before = "" if made_of is None else digest_of(made_of)
                opened.boundaries.add_own(full, digest_of(data), what, time.time(), before)
    except (TeamopsError, OSError) as error:
        click.echo(f"teamops: the audit may take this for an agent's change: {error}", err=True)
