"""What the agents' hooks are asked with: each role's policy, and whose turn it is, in the person's state directory."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from teamops.config.boundary import LIGHT, compiled_in
from teamops.config.settings import Settings
from teamops.domain.light_rows import light_rows
from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.effects.private_file import write_private
from teamops.guard import light, policy
from teamops.handoff import ROLES, parse
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block, Task
from teamops.model.role import Role

MAX_TEXT = 1 << 20
"""Bytes of one block in which the names of files are looked for."""


def write_policies(settings: Settings, folder: Path) -> None:
    """Write the policy of each role of the team, each whole or not at all.

    ``folder``: the project's in the person's state directory. Raises ``ConfigError`` where a profile can't be used,
    ``TeamopsError`` where the folder can't be written.
    """
    for role in settings.roles:
        text = json.dumps(compiled_in(settings, role, folder))
        write_private(Path(policy.path_of(str(folder), role.role)), text)


def write_light(
    handoff: Path, folder: Path, facts: Sequence[int], tasks: Sequence[Task], blocks: Sequence[Block]
) -> None:
    """Keep whose turn it is in the handoff file that has these facts. Raises ``TeamopsError``.

    ``facts``: device, inode, size and change time (ns) of what was read; of another file nothing is kept.
    """
    try:
        with handoff.open("rb") as file:
            rows = light_rows(tasks, blocks, lambda block: _text(file.fileno(), block))
            if light.facts_of(str(handoff)) != list(facts):
                return  # it has changed since: what comes next is told next
    except FileNotFoundError:
        rows = []
    except OSError as error:
        raise TeamopsError(f"{handoff} can't be read: {error.strerror}", "mend the file's rights") from error
    write_private(folder / LIGHT, light.text_of(list(facts), rows))


def light_now(handoff: Path, roles: Collection[Role]) -> str:
    """Return what would be kept of the handoff file as it is now. Raises ``TeamopsError``."""
    try:
        with handoff.open("rb") as file:
            told = os.fstat(file.fileno())
            raw = file.read()
    except FileNotFoundError:
        return light.text_of([], [])
    except OSError as error:
        raise TeamopsError(f"{handoff} can't be read: {error.strerror}", "mend the file's rights") from error
    blocks = parse(raw, {*ROLES, *roles}).blocks
    rows = light_rows(
        read(blocks, Limits()).tasks, blocks, lambda block: raw[block.start : block.end].decode("utf-8", "replace")
    )
    return light.text_of([told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns], rows)


def _text(file: int, block: Block) -> str:
    return os.pread(file, min(block.end - block.start, MAX_TEXT), block.start).decode("utf-8", "replace")
