"""Appends that agents ask for from inside their boundaries: each is done as the command does it, and answered."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from teamops.config.settings import Settings
from teamops.guard.asking import Answer, Asked, answer, take
from teamops.model.role import AGENT_ROLES, Role

LIMIT_S = 60.0
"""A block waits for the file's lock, and a poke for its proof."""
ANSWERING = "TEAMOPS_ANSWERING"
"""Set for a command that is done for another: it answers nobody itself."""
SESSION = "TEAMOPS_SESSION"
"""The tmux session that an agent is in, which it can't ask from inside."""
_NONE = Answer(2, "", "teamops: what was asked for can't be read, or is too old\n")


def answer_all(settings: Settings, state_dir: Path | None, roles: Iterable[Role] | None = None) -> list[str]:
    """Do what is asked for in the spools of the team, and answer it. Blocks. Returns a line for each, for a person."""
    said: list[str] = []
    for role in roles or (tuple(row.role for row in settings.roles) or AGENT_ROLES):
        folder = settings.spool / role
        for name, asked in take(folder):
            told = (
                _do(settings, state_dir, role, asked) if asked is not None else Answer(2, "", "teamops: no request\n")
            )
            try:
                answer(folder, name, told)
            except OSError as error:
                said.append(f"{role}'s request can't be answered: {error.strerror}")
            said.append(f"a block of {role} was {'appended' if told.code == 0 else 'not appended'} for it")
    return said


def _do(settings: Settings, state_dir: Path | None, role: Role, asked: Asked) -> Answer:
    from teamops.effects.confine import CONFINED

    known = settings.role(role)
    env = {name: value for name, value in os.environ.items() if name not in {"TMUX", "TMUX_PANE", CONFINED}}
    env |= {"TEAMOPS_ROLE": str(role), "TEAMOPS_PROJECT": str(settings.root), ANSWERING: "1"}
    env[SESSION] = known.session if known is not None else ""
    where = ["-C", str(settings.root), *(["--state-dir", str(state_dir.absolute())] if state_dir is not None else [])]
    # Isolated: nothing that lies in the project is taken for a part of teamops.
    words = [sys.executable, "-I", "-m", "teamops", "append", *where, f"--role={role}", *asked.options]
    try:
        done = subprocess.run(
            words, input=asked.text.encode("utf-8", "replace"), env=env, cwd=settings.root, capture_output=True,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(1, "", f"teamops: the block could not be written for {role}: {error}\n")
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
